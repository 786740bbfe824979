#include "processors/email/processor.hpp"

#include "processors/email/delivery.hpp"
#include "processors/email/mail_run.hpp"

#include <libqueue/backoff.hpp>

#include <processors_email/migrations.hpp>

#include <memory>
#include <utility>

namespace libqueue::processors::email {

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
    return kinds;
}

}  // namespace libqueue::processors::email
