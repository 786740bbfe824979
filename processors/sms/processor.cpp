#include "processors/sms/processor.hpp"

#include "processors/sms/delivery.hpp"
#include "processors/sms/message_run.hpp"
#include "processors/support/contacts/admission.hpp"

#include <libqueue/backoff.hpp>

#include <memory>
#include <utility>

namespace libqueue::processors::sms {

std::vector<migration_set> migration_sets() {
    std::vector<migration_set> sets;
    sets.push_back(contacts::migrations());
    return sets;
}

std::vector<registration> make_registrations(options given) {
    // Shared by the copies of the registration and the runs under way.
    const std::shared_ptr<const options> with =
        std::make_shared<const options>(checked(std::move(given)));
    registration entry{"sms.send"};
    entry.handle = [with](job_context& context) {
        return send_message(with, context);
    };
    if (with->on_unknown == unknown_policy::look_up) {
        entry.reconcile = [with](job_context& context) {
            return find_message(with, context);
        };
    }
    entry.options.retry = backoff::email();
    entry.options.max_attempts = 4;
    entry.options.timeout = with->timeout + std::chrono::seconds{5};
    std::vector<registration> kinds;
    kinds.push_back(std::move(entry));
    return kinds;
}

}  // namespace libqueue::processors::sms
