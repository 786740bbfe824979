#include "api/as_result.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/new_job_check.hpp"
#include "store/search_store.hpp"

#include <libqueue/overview.hpp>

namespace libqueue {

report overview::queues() {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::show_overview(with));
    });
}

report overview::database() {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::show_database(with));
    });
}

report overview::tables() {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_tables(with));
    });
}

result<void> overview::set_objective(std::string_view queue,
                                     std::optional<std::chrono::milliseconds> objective) {
    if (auto valid = store::check_queue_name(queue); valid.has_error()) {
        return valid.error();
    }
    std::optional<double> seconds;
    if (objective) {
        seconds = std::chrono::duration<double>{*objective}.count();
    }
    return api::as_result([&] {
        api::on_connection(client_, [&](const store::session& with) {
            store::set_objective(with, queue, seconds);
        });
    });
}

}  // namespace libqueue
