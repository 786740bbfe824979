#include "processors/webhook/processor.hpp"

#include "processors/support/counting.hpp"
#include "processors/webhook/delivery.hpp"
#include "processors/webhook/event_delivery.hpp"
#include "processors/webhook/publishing.hpp"

#include <libqueue/backoff.hpp>
#include <sql/webhook_record_delivery.hpp>

#include <processors_webhook/migrations.hpp>

#include <utility>

namespace libqueue::processors::webhook {

namespace {

/// The attempts of jobs that `webhooks.publish` did not make: those it made bring their own number.
constexpr int event_attempts = 10;

class url_handler {
   public:
    explicit url_handler(std::shared_ptr<const settings> with) : with_{std::move(with)} {}

    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        run_view run{context};
        run.executor = context.executor();
        return deliver(with_, std::move(run));
    }

   private:
    // Shared by the copies of the registration and the deliveries under way.
    std::shared_ptr<const settings> with_;
};

outcome skipped(const event_payload& event, const run_view& run) {
    const std::string why{"the endpoint is disabled"};
    return cancelled(why).also(
        statement{std::string{sql::webhook_record_delivery},
                  {std::to_string(event.endpoint), event.id, std::to_string(run.job.id),
                   std::to_string(run.job.attempt), "skipped", std::nullopt, std::nullopt,
                   std::nullopt, std::nullopt, why, std::nullopt}});
}

boost::asio::awaitable<outcome> handle_event(std::shared_ptr<const settings> with,
                                             std::shared_ptr<endpoint_cache> endpoints,
                                             job_context& context) {
    run_view run{context};
    run.executor = context.executor();
    auto event = event_payload::parse(run);
    if (!event) {
        co_return discard(event.error().message);
    }
    auto to = co_await endpoints->find(context, event->endpoint);
    if (to == nullptr) {
        co_return discard("no endpoint " + std::to_string(event->endpoint) + " of this tenant");
    }
    if (!to->enabled) {
        co_return skipped(*event, run);
    }
    auto said = co_await deliver_event(with, to, std::move(*event), run);
    co_return said;
}

class event_handler {
   public:
    event_handler(std::shared_ptr<const settings> with, std::shared_ptr<endpoint_cache> endpoints)
        : with_{std::move(with)}, endpoints_{std::move(endpoints)} {}

    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        return handle_event(with_, endpoints_, context);
    }

   private:
    // Both shared by the copies of the registration and the deliveries under way.
    std::shared_ptr<const settings> with_;
    std::shared_ptr<endpoint_cache> endpoints_;
};

boost::asio::awaitable<outcome> handle_publish(job_context& context) {
    const run_view run{context};
    co_return publish_event(run);
}

class prune_handler {
   public:
    explicit prune_handler(std::chrono::hours keep) : keep_{keep} {}
    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        return prune_log(context, keep_);
    }

   private:
    std::chrono::hours keep_;
};

void count(job_context& context, const outcome& said) {
    using type = outcome::type;
    const std::string& kind = context.job().kind;
    if (kind != "webhook.deliver" && kind != "webhook.event") {
        return;
    }
    if (said.kind() == type::completed) {
        context.count("webhooks_sent_total");
    } else if (said.kind() != type::snooze && said.kind() != type::cancelled) {
        context.count("webhooks_failed_total", 1,
                      {{"outcome", std::string{to_string(said.kind())}}});
    }
}

void add_endpoint_kinds(const std::shared_ptr<const settings>& with,
                        std::vector<registration>& kinds) {
    registration event{"webhook.event"};
    event.handle = event_handler{with, std::make_shared<endpoint_cache>(with)};
    event.options.max_attempts = event_attempts;
    event.options.timeout = with->given.timeout + std::chrono::seconds{5};
    // Defined by the migrations: places and a circuit for each endpoint.
    event.options.limit = "webhook_endpoints";
    kinds.push_back(std::move(event));
    registration publish{"webhook.publish"};
    publish.handle = handle_publish;
    kinds.push_back(std::move(publish));
    registration prune{"webhook.prune"};
    prune.handle = prune_handler{with->given.keep_log};
    prune.options.concurrency = 1;
    kinds.push_back(std::move(prune));
}

}  // namespace

std::vector<registration> make_registrations(options given) {
    const auto with = std::make_shared<const settings>(std::move(given));
    registration entry{"webhook.deliver"};
    entry.handle = url_handler{with};
    entry.options.retry = backoff::webhook();
    entry.options.max_attempts = 5;
    // Longer than a delivery, so that a slow endpoint is reported as that and not as our timeout.
    entry.options.timeout = with->given.timeout + std::chrono::seconds{5};
    std::vector<registration> kinds;
    kinds.push_back(std::move(entry));
    if (!with->masters.empty()) {
        add_endpoint_kinds(with, kinds);
    }
    return with_counts(std::move(kinds), &count);
}

migration_set migrations() {
    return embedded_migrations();
}

}  // namespace libqueue::processors::webhook
