#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <cstdint>
#include <optional>

namespace libqueue::engine {

class runtime;

/// Adds up what batches have come to and ends them, on the maintenance connection. Any number of
/// workers may: the row of each batch decides who does. A worker folds soon after a turn of its own
/// counted something, when it is told that a batch was sealed or cancelled, and when a heartbeat
/// finds something that nobody has folded. So a database without batches is never asked.
///
/// Folded tallies leave dead rows, which an old snapshot keeps. So nobody begins at the start: up
/// to the floor all is folded, and what had not committed when it was drawn has ended since.
class batch_folder {
   public:
    batch_folder(runtime& shared, pg::pipeline& connection)
        : shared_{shared}, connection_{connection} {}

    /// For a heartbeat: tallies up to this one are folded. Nothing: not known yet, do not look.
    [[nodiscard]] std::optional<std::int64_t> floor() const { return floor_; }
    /// There is something to fold.
    void found() { pending_ = true; }
    /// When there will be something to do; `max()` when never.
    [[nodiscard]] clock::time_point due() const;
    /// After a failure: not before then.
    void postpone(clock::time_point until);
    /// Folds what is there, a bounded time. Throws pg::sql_failure.
    boost::asio::awaitable<void> run_once();

   private:
    void advance(const pg::result& row);
    void report(const pg::result& row) const;

    runtime& shared_;
    pg::pipeline& connection_;
    bool pending_{true};  // what an earlier process left
    clock::time_point earliest_{};
    clock::duration passed_pause_{};
    std::optional<std::int64_t> floor_;
    // The latest tally that had been drawn at some time, and the transactions that drew it and
    // those before are older than this one.
    std::int64_t drawn_{0};
    std::int64_t next_xid_{0};
};

}  // namespace libqueue::engine
