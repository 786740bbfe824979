#include "processors/email/processor.hpp"

#include "processors/email/delivery.hpp"
#include "processors/email/mail_run.hpp"
#include "processors/support/counting.hpp"

#include <libqueue/backoff.hpp>

#include <processors_email/migrations.hpp>

#include <memory>
#include <utility>

namespace libqueue::processors::email {

namespace {

void count(job_context& context, const outcome& said) {
    using type = outcome::type;
    if (said.kind() == type::completed) {
        const bool skipped = members_of_output(said).contains("skipped");
        context.count(skipped ? "emails_skipped_total" : "emails_sent_total");
    } else if (said.kind() != type::snooze && said.kind() != type::cancelled) {
        context.count("emails_failed_total", 1, {{"outcome", std::string{to_string(said.kind())}}});
    }
}

}  // namespace

std::vector<migration_set> migration_sets() {
    std::vector<migration_set> sets;
    sets.push_back(contacts::migrations());
    sets.push_back(embedded_migrations());
    return sets;
}

std::vector<registration> make_registrations(options given) {
    // Shared by the copies of the registration, on the pool's threads.
    const auto shared = std::make_shared<sender>(std::move(given));
    registration entry{"email.send"};
    entry.handle_blocking = [shared](job_context& context) {
        mail_run run{*shared, context};
        return run.run();
    };
    entry.options.retry = backoff::email();
    entry.options.max_attempts = 4;
    entry.options.timeout = shared->given().timeout + std::chrono::seconds{5};
    std::vector<registration> kinds;
    kinds.push_back(std::move(entry));
    return with_counts(std::move(kinds), &count);
}

}  // namespace libqueue::processors::email
