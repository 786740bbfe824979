#include "processors/mint/processor.hpp"

#include "processors/mint/minting.hpp"
#include "processors/mint/service_minting.hpp"
#include "processors/support/counting.hpp"

#include <libqueue/backoff.hpp>

#include <processors_mint/migrations.hpp>

#include <utility>

namespace libqueue::processors::mint {

namespace {

class handler {
   public:
    explicit handler(std::shared_ptr<const options> with) : with_{std::move(with)} {}

    // Not a coroutine itself: `this` may go while the run goes on.
    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        return mint_one(with_, context);
    }

   private:
    static boost::asio::awaitable<outcome> mint_one(std::shared_ptr<const options> with,
                                                    job_context& context) {
        if (!with->service_url.empty()) {
            service_minting asking{*with, context};
            auto answered = co_await asking.run();
            co_return answered;
        }
        minting work{*with, context};
        auto done = co_await work.run();
        co_return done;
    }

    // Shared by the copies of the registrations and the runs under way.
    std::shared_ptr<const options> with_;
};

void count(job_context& context, const outcome& said) {
    if (said.kind() == outcome::type::completed || said.kind() == outcome::type::discard) {
        const bool minted = said.kind() == outcome::type::completed;
        context.count("nfts_minted_total", 1, {{"status", minted ? "completed" : "failed"}});
    }
}

}  // namespace

std::vector<registration> make_registrations(options given) {
    check(given);
    const auto with = std::make_shared<const options>(std::move(given));
    std::vector<registration> kinds;
    for (const auto* name : {"ticket.mint", "nft.mint"}) {
        registration entry{name};
        entry.handle = handler{with};
        entry.reconcile = handler{with};
        entry.options.retry = retry_policy{backoff_strategy::exponential, std::chrono::seconds{5},
                                           std::chrono::seconds{300}, true};
        entry.options.max_attempts = 4;
        entry.options.timeout = with->confirm_wait + std::chrono::seconds{30};
        entry.options.on_lost = on_lost::reconcile;
        entry.options.limit = "solana";
        kinds.push_back(std::move(entry));
    }
    return with_counts(std::move(kinds), &count);
}

migration_set migrations() {
    return embedded_migrations();
}

limit_options default_limit() {
    limit_options limit{"solana"};
    limit.burst = 10;
    limit.rate = 2;
    limit.concurrency = 5;
    limit.breaker.emplace();
    return limit;
}

}  // namespace libqueue::processors::mint
