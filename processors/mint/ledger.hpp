#pragma once

#include "processors/mint/records.hpp"

#include <libqueue/effect.hpp>
#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace libqueue::processors::mint {

/// The effect of one run in the ledger (docs/effects.md). Its key is the business key, so that two
/// jobs of one key do not mint at once. Lives in the handler's coroutine; loop thread only.
class mint_ledger {
   public:
    /// `wait`: until a job looks again that another one of its key is in front of.
    mint_ledger(job_context& context, std::chrono::milliseconds wait)
        : context_{context}, wait_{wait} {}

    /// Before the effect. To be called only when it is known that nothing has happened and nothing
    /// that was begun earlier can: what an earlier run left open is resolved so. Nothing: go on.
    [[nodiscard]] boost::asio::awaitable<std::optional<outcome>> begin(const mint_identity& who);
    /// It happened, now or in an earlier run, which may have left the effect open.
    [[nodiscard]] boost::asio::awaitable<void> happened(const mint_identity& who,
                                                        std::string output);
    /// It surely did not happen in this run. Without an effect of this run: nothing to do.
    [[nodiscard]] boost::asio::awaitable<std::optional<outcome>> did_not_happen();
    /// This run has begun it and not said how it ended.
    [[nodiscard]] bool open() const noexcept { return effect_.has_value(); }

   private:
    job_context& context_;
    std::chrono::milliseconds wait_;
    std::optional<effect> effect_;
};

}  // namespace libqueue::processors::mint
