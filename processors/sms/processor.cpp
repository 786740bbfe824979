#include "processors/sms/processor.hpp"

#include "processors/sms/delivery.hpp"
#include "processors/sms/message_run.hpp"
#include "processors/support/contacts/admission.hpp"
#include "processors/support/counting.hpp"

#include <libqueue/backoff.hpp>

#include <memory>
#include <utility>

namespace libqueue::processors::sms {

namespace {

void count(job_context& context, const outcome& said) {
    using type = outcome::type;
    if (said.kind() == type::completed) {
        const bool skipped = members_of_output(said).contains("skipped");
        context.count(skipped ? "sms_skipped_total" : "sms_sent_total");
    } else if (said.kind() != type::snooze && said.kind() != type::cancelled) {
        context.count("sms_failed_total", 1, {{"outcome", std::string{to_string(said.kind())}}});
    }
}

}  // namespace

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
    return with_counts(std::move(kinds), &count);
}

}  // namespace libqueue::processors::sms
