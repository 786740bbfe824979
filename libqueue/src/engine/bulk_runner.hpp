#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <algorithm>

namespace libqueue::engine {

class runtime;

/// Does operations on all jobs that match a filter (bulk.hpp), a step at a time, on the maintenance
/// connection. Any number of workers may: the row of the operation decides who does a step, and the
/// step commits with what is known of it. Looks every few seconds whether there is something to do;
/// an operation may be undone for longer than that anyway.
class bulk_runner {
   public:
    bulk_runner(runtime& shared, pg::pipeline& connection)
        : shared_{shared}, connection_{connection} {}

    /// When there may be something to do.
    [[nodiscard]] clock::time_point due() const;
    /// After a failure: not before then.
    void postpone(clock::time_point until) { next_ = std::max(next_, until); }
    /// Does one step of what is due. Throws pg::sql_failure.
    boost::asio::awaitable<void> run_once();

   private:
    runtime& shared_;
    pg::pipeline& connection_;
    clock::time_point next_{};
};

}  // namespace libqueue::engine
