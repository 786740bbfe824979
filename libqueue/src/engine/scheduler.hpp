#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <cstdint>
#include <optional>

namespace libqueue::engine {

class runtime;

/// Fires schedules at their time, on the maintenance connection. Nobody leads: every worker sleeps
/// until the next slot, and the row of each schedule decides who fires it. When that slot is, is
/// learned from the answer of each heartbeat, so that a database without schedules is never asked.
class scheduler {
   public:
    scheduler(runtime& shared, pg::pipeline& connection)
        : shared_{shared}, connection_{connection} {}

    /// A heartbeat sent at `asked_at` was told the time to the next slot; nothing: there is none.
    /// True when that is earlier than was known.
    bool observe(clock::time_point asked_at, std::optional<std::int64_t> wait_us);
    /// When there will be something to fire; `max()` when never.
    [[nodiscard]] clock::time_point due() const noexcept { return due_; }
    /// After a failure: not before then.
    void postpone(clock::time_point until);
    /// Fires what is due, a bounded time. Throws pg::sql_failure.
    boost::asio::awaitable<void> run_once();

   private:
    runtime& shared_;
    pg::pipeline& connection_;
    clock::time_point due_{clock::time_point::max()};
};

}  // namespace libqueue::engine
