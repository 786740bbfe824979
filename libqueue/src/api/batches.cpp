#include "api/asked.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/batch_store.hpp"

#include <libqueue/batches.hpp>

namespace libqueue {
namespace {

[[noreturn]] void no_such_batch(std::int64_t batch) {
    throw domain_failure{error{errc::not_found, "no batch " + std::to_string(batch)}};
}

}  // namespace

std::string_view to_string(batch_state state) noexcept {
    switch (state) {
        case batch_state::pending:
            return "PENDING";
        case batch_state::processing:
            return "PROCESSING";
        case batch_state::completed:
            return "COMPLETED";
        case batch_state::failed:
            return "FAILED";
        case batch_state::partial_success:
            return "PARTIAL_SUCCESS";
    }
    return "invalid";
}

std::optional<batch_state> parse_batch_state(std::string_view text) noexcept {
    for (const batch_state state :
         {batch_state::pending, batch_state::processing, batch_state::completed,
          batch_state::failed, batch_state::partial_success}) {
        if (text == to_string(state)) {
            return state;
        }
    }
    return std::nullopt;
}

result<std::int64_t> batches::create(const new_batch& wanted) {
    return api::asked(
        client_, [&](const store::session& with) { return store::create_batch(with, wanted); });
}

result<void> batches::seal(std::int64_t batch) {
    return api::asked(client_, [&](const store::session& with) { store::seal_batch(with, batch); });
}

result<batch_cancelled> batches::cancel(std::int64_t batch, std::optional<std::string> reason) {
    return api::asked(client_, [&](const store::session& with) {
        return store::cancel_batch(with, batch, reason);
    });
}

result<batch_counts> batches::counts(std::int64_t batch) {
    return api::asked(client_, [&](const store::session& with) {
        const std::optional<batch_counts> known = store::count_batch(with, batch);
        if (!known) {
            no_such_batch(batch);
        }
        return *known;
    });
}

report batches::list(const batch_filter& filter) {
    return api::on_connection(client_, [&](const store::session& with) {
        report page = api::make_report(store::list_batches(with, filter));
        if (page.rows.size() == static_cast<std::size_t>(filter.limit)) {
            page.next = std::stoll(page.rows.back().front().value());
        }
        return page;
    });
}

result<report> batches::show(std::int64_t batch) {
    return api::asked(client_, [&](const store::session& with) {
        report one = api::make_report(store::show_batch(with, batch));
        if (one.rows.empty()) {
            no_such_batch(batch);
        }
        return one;
    });
}

result<report> batches::items(std::int64_t batch, const batch_item_filter& filter) {
    return api::asked(client_, [&](const store::session& with) {
        report page = api::make_report(store::list_batch_items(with, batch, filter));
        if (page.rows.size() == static_cast<std::size_t>(filter.limit)) {
            page.next = std::stoll(page.rows.back().front().value());
        }
        return page;
    });
}

}  // namespace libqueue
