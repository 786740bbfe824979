#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <cstdint>

namespace libqueue::engine {

class runtime;

/// The worker's session with the database: registers it under an identity new with every boot,
/// beats its heart, holds its session advisory lock, listens for wake-ups and learns of cancel
/// requests and new lines. When the heartbeat finds its row gone, others have declared this worker
/// dead: every run is told it lost its lease and the worker registers anew.
class presence {
   public:
    explicit presence(runtime& shared);
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;

    boost::asio::awaitable<void> run();
    /// Leaves in good order; only after `run` has ended.
    boost::asio::awaitable<void> deregister();
    /// Ends the waiting of `run`.
    void wake();
    /// One heartbeat with all that travels with it. False: we were declared dead.
    boost::asio::awaitable<bool> beat();
    [[nodiscard]] pg::pipeline& connection() noexcept { return connection_; }

   private:
    boost::asio::awaitable<void> serve();
    boost::asio::awaitable<void> enroll();
    boost::asio::awaitable<void> wait_for_news(clock::time_point until);
    boost::asio::awaitable<void> prepare_schema();
    void hear(const std::string& payload);
    void set_lines(const pg::result& rows);
    void send_progress();
    void send_lines();
    void send_limits();
    [[nodiscard]] pg::params limits_in_use() const;
    void report_undefined(const pg::result& limits) const;

    runtime& shared_;
    pg::pipeline connection_;
    boost::asio::steady_timer alarm_;
    bool schema_ready_{false};
    bool urgent_{false};  // beat now: something was asked
    bool lost_reported_{false};
};

}  // namespace libqueue::engine
