#include "processors/email/processor.hpp"

#include "processors/email/delivery.hpp"

#include <libqueue/backoff.hpp>

#include <memory>
#include <utility>

namespace libqueue::processors::email {

std::vector<registration> make_registrations(options given) {
    // Shared by the copies of the registration, on the pool's threads.
    const auto shared = std::make_shared<sender>(std::move(given));
    registration entry{"email.send"};
    entry.handle_blocking = [shared](job_context& context) {
        const run_view run{context};
        return shared->deliver(run);
    };
    entry.options.retry = backoff::email();
    entry.options.max_attempts = 4;
    entry.options.timeout = shared->given().timeout + std::chrono::seconds{5};
    if (shared->given().on_unknown == unknown_policy::park) {
        entry.options.on_lost = on_lost::hold;
    }
    std::vector<registration> kinds;
    kinds.push_back(std::move(entry));
    return kinds;
}

}  // namespace libqueue::processors::email
