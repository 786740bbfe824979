#include "api/as_result.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/run_record_store.hpp"

#include <libqueue/run_records.hpp>

namespace libqueue {

report run_records::log(job_id id, const log_filter& filter) {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_job_log(with, id, filter));
    });
}

report run_records::progress(job_id id) {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::show_progress(with, id));
    });
}

std::optional<std::string> run_records::checkpoint(job_id id) {
    return api::on_connection(
        client_, [&](const store::session& with) { return store::last_checkpoint(with, id); });
}

report run_records::effects(job_id id) {
    return api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_effects(with, id));
    });
}

result<void> run_records::resolve_effect(job_id id, std::string_view step, bool happened,
                                         const std::string& output) {
    return api::as_result([&] {
        api::on_connection(client_, [&](const store::session& with) {
            store::effect_resolve(with, id, step, happened, output);
        });
    });
}

}  // namespace libqueue
