#include "api/asked.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/search_store.hpp"

#include <libqueue/bulk.hpp>

#include <array>

namespace libqueue {
namespace {

constexpr std::array actions{bulk_action::retry, bulk_action::cancel, bulk_action::replay,
                             bulk_action::discard, bulk_action::purge};

}  // namespace

std::string_view to_string(bulk_action action) noexcept {
    switch (action) {
        case bulk_action::retry:
            return "retry";
        case bulk_action::cancel:
            return "cancel";
        case bulk_action::replay:
            return "replay";
        case bulk_action::discard:
            return "discard";
        case bulk_action::purge:
            return "purge";
    }
    return "invalid";
}

std::optional<bulk_action> parse_bulk_action(std::string_view text) noexcept {
    for (const bulk_action each : actions) {
        if (text == to_string(each)) {
            return each;
        }
    }
    return std::nullopt;
}

result<bounded_count> bulk::count(bulk_action action, const filter& which) {
    return api::asked(client_, [&](const store::session& with) {
        return store::count_operation(with, action, which);
    });
}

result<std::int64_t> bulk::create(const new_bulk& wanted) {
    return api::asked(
        client_, [&](const store::session& with) { return store::create_operation(with, wanted); });
}

report bulk::list(bool unfinished_only, const std::optional<std::int64_t>& before, int limit) {
    return api::on_connection(client_, [&](const store::session& with) {
        report page =
            api::make_report(store::list_operations(with, unfinished_only, before, limit));
        if (page.rows.size() == static_cast<std::size_t>(limit)) {
            page.next = std::stoll(page.rows.back().front().value());
        }
        return page;
    });
}

result<report> bulk::show(std::int64_t operation) {
    return api::asked(client_, [&](const store::session& with) {
        report one = api::make_report(store::show_operation(with, operation));
        if (one.rows.empty()) {
            throw domain_failure{
                error{errc::not_found, "no operation " + std::to_string(operation)}};
        }
        return one;
    });
}

result<void> bulk::cancel(std::int64_t operation) {
    return api::asked(
        client_, [&](const store::session& with) { store::cancel_operation(with, operation); });
}

}  // namespace libqueue
