#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <chrono>

namespace libqueue::engine {

class runtime;

/// Deletes what has outlived its use, a bounded time at a call: finished jobs with their attempts,
/// dead letters, idempotency keys, archived jobs, leftovers of progress and cancelling, and what
/// was to be erased when its job ends. Any number of workers may do so at once; the database lets
/// one at a time. Uses the maintenance connection between its other work, for at most a twentieth
/// of the time.
class retention {
   public:
    retention(runtime& shared, pg::pipeline& connection)
        : shared_{shared}, connection_{connection} {}

    /// Does what is due. Throws pg::sql_failure.
    boost::asio::awaitable<void> run_once();

   private:
    boost::asio::awaitable<void> prune_jobs();
    boost::asio::awaitable<void> prune_keys();
    boost::asio::awaitable<void> prune_side_tables();
    boost::asio::awaitable<void> prune_archives();

    runtime& shared_;
    pg::pipeline& connection_;
    clock::time_point next_{};
    clock::time_point next_jobs_{};
    clock::time_point next_keys_{};
    clock::time_point next_side_tables_{};
    clock::time_point next_archives_{};
};

}  // namespace libqueue::engine
