#pragma once

#include "processors/payment/provider.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <type_traits>

namespace libqueue::processors::payment {

/// How one effect on the provider is made.
class step_plan {
   public:
    explicit step_plan(std::string step_) : step{std::move(step_)} {}
    std::string step;   ///< create, confirm, capture, cancel, refund
    int generation{0};  ///< how many keys of this step are known to have done nothing more
    /// In the ledger, where each generation is an effect of its own: `create`, `create.1`.
    [[nodiscard]] std::string name() const {
        return generation == 0 ? step : step + "." + std::to_string(generation);
    }
    /// Ask the provider whether it has happened before asking for it at all.
    bool look_first{false};
};
static_assert(!std::is_aggregate_v<step_plan>);

/// How it ended. With `later` the run ends with that outcome and nothing is decided; else `said` is
/// `done` or `refused`, and the ledger knows.
class step_end {
   public:
    step_end() = default;
    std::optional<outcome> later;
    reply said;
    bool recalled{false};  ///< done in an earlier run: `said` has what the ledger kept
};
static_assert(!std::is_aggregate_v<step_end>);

/// What identifies this job at the provider, in any database: its id and a trace of the time it was
/// enqueued, because ids start again at 1 in a new database.
[[nodiscard]] std::string mark_of(const run_view& run);
/// The same for what is made under this key: later ones differ, so that what an earlier one left
/// behind is not taken for it.
[[nodiscard]] std::string mark_of(const run_view& run, int generation);

/// `lq:{tenant}:{mark}:{name of the step}`; at most 255 bytes. The same on every attempt.
[[nodiscard]] std::string key_of(const run_view& run, const step_plan& plan);

/// How long a key is used again. Stripe forgets keys after 24 h; the same key is then a new charge.
inline constexpr std::chrono::hours key_life{23};

/// Makes one effect exactly once, whatever was lost before:
///
///   ledger says      what is done
///   committed        nothing: `said` is what was kept
///   begun            the call
///   open             the call again with the same key, for 23 h; then the provider is asked
///
///   the call says    what is done
///   done             commit
///   refused          abandon
///   saved doubt      the provider is asked: done commits; provably absent abandons and takes a new
///                    key for the next run; no answer leaves it open
///   doubt            left open: the next run is a reconcile run
///   refused because of the key, while it was open: the provider is asked, as after a saved doubt
///   throttled, shut  abandon when this run began it, and come back without using up an attempt
///   unsent           abandon when this run began it, and retry
///
/// All arguments must stay until it returns. Throws `failure` when the database is away.
[[nodiscard]] boost::asio::awaitable<step_end> take_step(job_context& context, const run_view& run,
                                                         const provider& at, operation& what,
                                                         const step_plan& plan);

/// Of a request that changes nothing, and of what surely did not happen: when to come back.
[[nodiscard]] outcome come_back(const reply& said);

}  // namespace libqueue::processors::payment
