#include "processors/webhook/processor.hpp"

#include "processors/webhook/delivery.hpp"

#include <libqueue/backoff.hpp>

#include <utility>

namespace libqueue::processors::webhook {

namespace {

class handler {
   public:
    explicit handler(std::shared_ptr<const settings> with) : with_{std::move(with)} {}

    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        run_view run{context};
        run.executor = context.executor();
        return deliver(with_, std::move(run));
    }

   private:
    // Shared by the copies of the registration and the deliveries under way.
    std::shared_ptr<const settings> with_;
};

}  // namespace

std::vector<registration> make_registrations(options given) {
    const auto with = std::make_shared<const settings>(std::move(given));
    registration entry{"webhook.deliver"};
    entry.handle = handler{with};
    entry.options.retry = backoff::webhook();
    entry.options.max_attempts = 5;
    // Longer than a delivery, so that a slow endpoint is reported as that and not as our timeout.
    entry.options.timeout = with->given.timeout + std::chrono::seconds{5};
    std::vector<registration> kinds;
    kinds.push_back(std::move(entry));
    return kinds;
}

}  // namespace libqueue::processors::webhook
