#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace libqueue::engine {

class runtime;

/// What somebody saw of the schedules.
class schedule_sight {
   public:
    explicit schedule_sight(clock::time_point asked_at_) : asked_at{asked_at_} {}
    clock::time_point asked_at;
    /// Nothing was left out; else only slots from `scheduler::floor()` on were looked for.
    bool everywhere{true};
    std::optional<std::int64_t> next_at;  ///< µs since 2000; nothing: no schedule has a next slot
    std::int64_t wait_us{0};              ///< until then
};

/// Fires schedules at their time, on the maintenance connection. Nobody leads: every worker sleeps
/// until the next slot, and the row of each schedule decides who fires it. When that slot is, is
/// learned from the answer of each heartbeat, so that a database without schedules is never asked.
///
/// Each firing leaves a dead entry in the index by time, which an old snapshot keeps there. So
/// neither the firing nor the heartbeat begins at the start of the index each time: the one goes on
/// behind what it fired, the other at the next slot known. What may stand before is looked for
/// after each round, when somebody says that schedules changed, and now and then.
class scheduler {
   public:
    scheduler(runtime& shared, pg::pipeline& connection)
        : shared_{shared}, connection_{connection} {}

    /// For a heartbeat: slots before this one (µs since 2000) need not be looked for.
    [[nodiscard]] std::optional<std::int64_t> floor() const;
    /// What a heartbeat saw. True when something is due earlier than was known.
    bool observe(const schedule_sight& seen);
    /// A schedule was made or changed: what is known is not all.
    void forget();
    /// When there will be something to fire; `max()` when never.
    [[nodiscard]] clock::time_point due() const noexcept { return due_; }
    /// After a failure: not before then.
    void postpone(clock::time_point until);
    /// Fires what is due, a bounded time. Throws pg::sql_failure.
    boost::asio::awaitable<void> run_once();

   private:
    void learn(const schedule_sight& seen);
    void report(const pg::result& row) const;

    runtime& shared_;
    pg::pipeline& connection_;
    clock::time_point due_{clock::time_point::max()};
    std::optional<std::int64_t> known_;                            // no slot stands before it
    std::optional<std::pair<std::int64_t, std::int64_t>> behind_;  // slot and id last fired
    clock::time_point next_look_{};                                // without a floor
    clock::time_point forgot_at_{};
};

}  // namespace libqueue::engine
