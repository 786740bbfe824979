#include "api/asked.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/schedule_store.hpp"

#include <libqueue/schedules.hpp>

namespace libqueue {
namespace {

using store::schedule_key;
using tenant = std::optional<std::string>;

}  // namespace

std::string_view to_string(misfire policy) noexcept {
    switch (policy) {
        case misfire::skip:
            return "skip";
        case misfire::collapse:
            return "collapse";
        case misfire::backfill:
            return "backfill";
    }
    return "invalid";
}

std::optional<misfire> parse_misfire(std::string_view text) noexcept {
    for (const misfire policy : {misfire::skip, misfire::collapse, misfire::backfill}) {
        if (text == to_string(policy)) {
            return policy;
        }
    }
    return std::nullopt;
}

std::string_view to_string(overlap policy) noexcept {
    switch (policy) {
        case overlap::allow:
            return "allow";
        case overlap::forbid:
            return "forbid";
    }
    return "invalid";
}

std::optional<overlap> parse_overlap(std::string_view text) noexcept {
    for (const overlap policy : {overlap::allow, overlap::forbid}) {
        if (text == to_string(policy)) {
            return policy;
        }
    }
    return std::nullopt;
}

result<std::int64_t> schedules::set(const new_schedule& wanted) {
    return api::asked(
        client_, [&](const store::session& with) { return store::set_schedule(with, wanted); });
}

result<bool> schedules::remove(std::string_view name, const tenant& tenant_id) {
    return api::asked(client_, [&](const store::session& with) {
        return store::remove_schedule(with, schedule_key{name, tenant_id});
    });
}

result<void> schedules::pause(std::string_view name, const tenant& tenant_id) {
    return api::asked(client_, [&](const store::session& with) {
        store::pause_schedule(with, schedule_key{name, tenant_id});
    });
}

result<void> schedules::resume(std::string_view name, const tenant& tenant_id) {
    return api::asked(client_, [&](const store::session& with) {
        store::resume_schedule(with, schedule_key{name, tenant_id});
    });
}

result<job_id> schedules::run_now(std::string_view name, const tenant& tenant_id) {
    return api::asked(client_, [&](const store::session& with) {
        return store::run_schedule(with, schedule_key{name, tenant_id});
    });
}

result<std::vector<time_point>> schedules::next(std::string_view name, int n,
                                                const tenant& tenant_id) {
    return api::asked(client_, [&](const store::session& with) {
        return store::next_firings(with, schedule_key{name, tenant_id}, n);
    });
}

result<std::vector<time_point>> schedules::preview(std::string_view cron, std::string_view timezone,
                                                   int n) {
    return api::asked(client_, [&](const store::session& with) {
        return store::preview_cron(with, cron, timezone, n);
    });
}

report schedules::list(const schedule_filter& filter) {
    return api::on_connection(client_, [&](const store::session& with) {
        report page = api::make_report(store::list_schedules(with, filter));
        if (page.rows.size() == static_cast<std::size_t>(filter.limit)) {
            page.next = std::stoll(page.rows.back().front().value());
        }
        return page;
    });
}

result<report> schedules::show(std::string_view name, const tenant& tenant_id) {
    return api::asked(client_, [&](const store::session& with) {
        report one = api::make_report(store::show_schedule(with, schedule_key{name, tenant_id}));
        if (one.rows.empty()) {
            throw domain_failure{
                error{errc::not_found, "no schedule '" + std::string{name.substr(0, 150)} + "'"}};
        }
        return one;
    });
}

report schedules::runs(std::string_view name, int limit, const tenant& tenant_id) {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(
            store::list_schedule_runs(with, schedule_key{name, tenant_id}, limit));
    });
}

}  // namespace libqueue
