#include "processors/mint/ledger.hpp"

#include <utility>

namespace libqueue::processors::mint {

namespace {

using boost::asio::awaitable;

std::string key_of(const mint_identity& who) {
    return "mint/" + who.key;
}

}  // namespace

awaitable<std::optional<outcome>> mint_ledger::begin(const mint_identity& who) {
    // Once for what an earlier run left open, and once more to begin.
    for (int round = 0; round < 2; ++round) {
        std::string step{"mint"};
        auto key = key_of(who);
        auto begun = co_await context_.begin_effect(std::move(step), std::move(key));
        if (!begun) {
            co_return begun.error().code == errc::conflict
                ? snooze(wait_, "another job is minting for this business key")
                : retry(begun.error().message);
        }
        if (begun->state() == effect_state::begun) {
            effect_.emplace(std::move(*begun));
            co_return std::nullopt;
        }
        if (begun->state() == effect_state::committed) {
            co_return retry("the ledger says it was minted, and it is not to be found");
        }
        const auto resolved = co_await begun->resolve(false);
        if (!resolved) {
            co_return retry(resolved.error().message);
        }
    }
    co_return retry("the ledger does not let the mint begin");
}

awaitable<void> mint_ledger::happened(const mint_identity& who, std::string output) {
    if (effect_) {
        (void)co_await effect_->commit(output);
        effect_.reset();
        co_return;
    }
    std::string step{"mint"};
    auto key = key_of(who);
    auto begun = co_await context_.begin_effect(std::move(step), std::move(key));
    if (!begun) {
        co_return;  // another job's: that one says what became of it
    }
    if (begun->state() == effect_state::unknown) {
        (void)co_await begun->resolve(true, output);
    } else if (begun->state() == effect_state::begun) {
        (void)co_await begun->commit(output);
    }
}

awaitable<std::optional<outcome>> mint_ledger::did_not_happen() {
    if (!effect_) {
        co_return std::nullopt;
    }
    const auto abandoned = co_await effect_->abandon();
    effect_.reset();
    if (!abandoned) {
        co_return retry(abandoned.error().message);
    }
    co_return std::nullopt;
}

}  // namespace libqueue::processors::mint
