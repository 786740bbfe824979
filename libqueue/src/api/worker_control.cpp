#include "api/asked.hpp"
#include "api/report.hpp"
#include "store/operator_store.hpp"

#include <libqueue/worker_control.hpp>

#include <string>

namespace libqueue {

std::string_view to_string(worker_wish value) noexcept {
    switch (value) {
        case worker_wish::quiet:
            return "quiet";
        case worker_wish::drain:
            return "drain";
        case worker_wish::stop:
            return "stop";
        case worker_wish::resume:
            return "resume";
    }
    return "quiet";
}

result<report> worker_control::show(std::int64_t worker) {
    return api::asked(client_, [&](const store::session& with) {
        report one = api::make_report(store::show_worker(with, worker));
        if (one.rows.empty()) {
            throw domain_failure{error{errc::not_found, "no worker " + std::to_string(worker)}};
        }
        return one;
    });
}

result<void> worker_control::ask(std::int64_t worker, worker_wish wish) {
    return api::asked(client_, [&](const store::session& with) {
        store::ask_worker(with, worker, to_string(wish));
    });
}

}  // namespace libqueue
