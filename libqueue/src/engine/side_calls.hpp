#pragma once

#include "engine/async.hpp"
#include "pg/connection.hpp"
#include "pg/params.hpp"
#include "pg/pipeline.hpp"
#include "pg/result.hpp"

#include <libqueue/error.hpp>

#include <deque>
#include <memory>
#include <mutex>

namespace libqueue::engine {

class runtime;

/// What handlers ask of the database themselves: checkpoints and effects. On connections of their
/// own, one for coroutines and one for blocking handlers, made at their first use: a worker whose
/// handlers ask nothing has neither, and a handler that asks much holds up no turn. One call at a
/// time on each, in order; each is a transaction.
class side_calls {
   public:
    explicit side_calls(runtime& shared);
    side_calls(const side_calls&) = delete;
    side_calls& operator=(const side_calls&) = delete;

    /// Loop thread. Domain errors are returned; throws `failure`, whose outcome_unknown() says
    /// whether the call may have been carried out.
    boost::asio::awaitable<result<pg::result>> ask(const pg::prepared& what, pg::params with);
    /// The same, waiting on the calling thread, which is not the loop's.
    [[nodiscard]] result<pg::result> ask_blocking(const pg::prepared& what, const pg::params& with);
    [[nodiscard]] pg::pipeline& connection() noexcept { return connection_; }

   private:
    boost::asio::awaitable<void> enter();
    void leave();
    boost::asio::awaitable<void> open();
    boost::asio::awaitable<pg::result> try_ask(const pg::prepared& what, const pg::params& with);

    runtime& shared_;
    pg::pipeline connection_;
    bool taken_{false};
    std::deque<boost::asio::steady_timer*> waiting_;

    std::mutex mutex_;  // guards what follows
    std::unique_ptr<pg::connection> blocking_;
};

}  // namespace libqueue::engine
