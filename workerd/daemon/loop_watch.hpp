#pragma once

#include "health.hpp"
#include "logging/logger.hpp"
#include "service_manager.hpp"

#include <libqueue/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>

namespace workerd {

/// Proves again and again that every loop of the process turns: the daemon's own (signals, HTTP),
/// because it runs this, and the worker's, because it answers. Only then is systemd's watchdog fed,
/// so that a loop that hangs ends the process and the supervisor starts it anew. Also keeps the
/// status line. Belongs to the daemon's loop; must outlive the worker.
class loop_watch {
   public:
    /// A worker's loop that is silent for `lease` has been declared dead by the others: then
    /// /health/live says so, too.
    loop_watch(boost::asio::io_context& loop, const service_manager& manager, logger& log,
               std::chrono::milliseconds lease);
    loop_watch(const loop_watch&) = delete;
    loop_watch& operator=(const loop_watch&) = delete;

    /// Says READY=1 once every loop has turned.
    void start(libqueue::worker& worker, health& health, std::string queues);
    void mark_draining();
    void stop();

   private:
    void tick();
    void answered();
    void ask();
    void judge();
    void tell_status();

    boost::asio::io_context& loop_;
    const service_manager& manager_;
    logger& log_;
    std::chrono::milliseconds lease_;
    std::chrono::steady_clock::duration interval_;
    boost::asio::steady_timer timer_;
    libqueue::worker* worker_ = nullptr;
    health* health_ = nullptr;
    std::string queues_;
    std::string status_;
    std::chrono::steady_clock::time_point asked_{};
    bool waiting_ = false;  // for an answer
    bool ready_ = false;
    bool draining_ = false;
    bool silent_ = false;
};

}  // namespace workerd
