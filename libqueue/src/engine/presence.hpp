#pragma once

#include "engine/async.hpp"
#include "engine/log_writer.hpp"
#include "pg/pipeline.hpp"

#include <libqueue/worker.hpp>

#include <cstdint>
#include <string>

namespace libqueue::engine {

class maintenance;
class schedule_sight;
class runtime;

/// The parameters of publish_kind.
[[nodiscard]] pg::params kind_params(const registration& kind);
/// Whether there is anything for set_kind_keeping to say.
[[nodiscard]] bool has_kind_keeping(const registration& kind);
/// The parameters of set_kind_keeping.
[[nodiscard]] pg::params kind_keeping_params(const registration& kind);

/// The worker's session with the database: registers it under an identity new with every boot,
/// beats its heart, holds its session advisory lock, listens for wake-ups and learns of cancel
/// requests and new lines. When the heartbeat finds its row gone, others have declared this worker
/// dead: every run is told it lost its lease and the worker registers anew.
class presence {
   public:
    presence(runtime& shared, maintenance& upkeep);
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
    boost::asio::awaitable<void> check_server();
    void hear(const std::string& payload);
    void hand_on(const pg::result& seen, schedule_sight sight);
    void heed(std::string_view asked);
    void set_lines(const pg::result& rows);
    void send_progress();
    void send_limits();
    [[nodiscard]] pg::params limits_in_use() const;
    void report_undefined(const pg::result& limits) const;
    boost::asio::awaitable<void> read_lines();

    runtime& shared_;
    maintenance& upkeep_;
    pg::pipeline connection_;
    boost::asio::steady_timer alarm_;
    log_writer log_;
    bool schema_ready_{false};
    std::int64_t known_lines_{-1};
    bool urgent_{false};  // beat now: something was asked
    bool lost_reported_{false};
    bool dismissed_{false};  // as the operator wished; said once
    std::string warned_;     // what was last said about the server
    std::string refused_;    // why it must not be used
};

}  // namespace libqueue::engine
