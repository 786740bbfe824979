#include "store/schedule_store.hpp"

#include "core/text.hpp"
#include "pg/schema_name.hpp"
#include "store/arguments.hpp"

#include <sql/list_schedule_runs.hpp>
#include <sql/list_schedules.hpp>
#include <sql/next_firings.hpp>
#include <sql/pause_schedule.hpp>
#include <sql/preview_cron.hpp>
#include <sql/remove_schedule.hpp>
#include <sql/resume_schedule.hpp>
#include <sql/run_schedule.hpp>
#include <sql/set_schedule.hpp>
#include <sql/show_schedule.hpp>

namespace libqueue::store {
namespace {

pg::result run(const session& with, std::string_view sql, const pg::params& parameters) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

[[nodiscard]] pg::params key_parameters(const schedule_key& which) {
    pg::params to;
    add_text(to, "name", which.name);
    add_tenant(to, which.tenant_id);
    return to;
}

[[nodiscard]] std::vector<time_point> times_of(const pg::result& rows) {
    std::vector<time_point> times;
    times.reserve(static_cast<std::size_t>(rows.rows()));
    for (int row = 0; row < rows.rows(); ++row) {
        times.emplace_back(std::chrono::microseconds{rows.int64(row, 0)});
    }
    return times;
}

/// Where the document is wrong, before PostgreSQL would only say that it is.
void check_documents(const new_schedule& wanted) {
    if (auto payload = core::json_storable(wanted.payload); payload.has_error()) {
        throw domain_failure{payload.error()};
    }
    if (wanted.meta.empty()) {
        return;
    }
    if (auto meta = core::json_object_storable(wanted.meta, "meta"); meta.has_error()) {
        refuse(meta.error().message);
    }
}

}  // namespace

std::int64_t set_schedule(const session& with, const new_schedule& wanted) {
    check_documents(wanted);
    std::string misfire{to_string(wanted.when_missed)};
    if (wanted.when_missed == misfire::backfill) {
        misfire += "(" + std::to_string(wanted.backfill_max) + ")";
    }
    pg::params to;
    add_text(to, "name", std::string_view{wanted.name});
    add_text(to, "cron", std::string_view{wanted.cron});
    add_text(to, "kind", std::string_view{wanted.kind});
    to.text(wanted.payload);
    add_text(to, "timezone", std::string_view{wanted.timezone});
    to.text(misfire).text(to_string(wanted.when_busy));
    add_text(to, "queue", wanted.queue);
    add_number(to, wanted.priority);
    add_number(to, wanted.max_attempts);
    add_tenant(to, wanted.tenant_id);
    wanted.meta.empty() ? to.null() : to.text(wanted.meta);
    to.text(std::to_string(wanted.misfire_grace.count()) + " milliseconds");
    return run(with, sql::set_schedule, to).int64(0, 0);
}

bool remove_schedule(const session& with, const schedule_key& which) {
    return run(with, sql::remove_schedule, key_parameters(which)).boolean(0, 0);
}

void pause_schedule(const session& with, const schedule_key& which) {
    run(with, sql::pause_schedule, key_parameters(which));
}

void resume_schedule(const session& with, const schedule_key& which) {
    run(with, sql::resume_schedule, key_parameters(which));
}

job_id run_schedule(const session& with, const schedule_key& which) {
    return run(with, sql::run_schedule, key_parameters(which)).int64(0, 0);
}

std::vector<time_point> next_firings(const session& with, const schedule_key& which, int n) {
    pg::params to;
    add_text(to, "name", which.name);
    to.number(n);
    add_tenant(to, which.tenant_id);
    return times_of(run(with, sql::next_firings, to));
}

std::vector<time_point> preview_cron(const session& with, std::string_view cron,
                                     std::string_view timezone, int n) {
    pg::params to;
    add_text(to, "cron", cron);
    to.number(n);
    add_text(to, "timezone", timezone);
    return times_of(run(with, sql::preview_cron, to));
}

pg::result list_schedules(const session& with, const schedule_filter& filter) {
    pg::params to;
    add_text(to, "name", filter.name);
    add_text(to, "kind", filter.kind);
    add_tenant(to, filter.tenant_id);
    filter.after ? to.number(*filter.after) : to.null();
    add_limit(to, filter.limit);
    return run(with, sql::list_schedules, to);
}

pg::result show_schedule(const session& with, const schedule_key& which) {
    return run(with, sql::show_schedule, key_parameters(which));
}

pg::result list_schedule_runs(const session& with, const schedule_key& which, int limit) {
    pg::params to = key_parameters(which);
    add_limit(to, limit);
    return run(with, sql::list_schedule_runs, to);
}

}  // namespace libqueue::store
