#pragma once

#include "engine/lane.hpp"
#include "engine/maintenance.hpp"
#include "engine/presence.hpp"
#include "engine/runtime.hpp"
#include "engine/silence.hpp"

#include <libqueue/worker.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace libqueue::engine {

/// One start of a worker: its event loop, the thread that runs it and all services on it.
class session {
   public:
    /// Keeps copies: an abandoned session outlives its worker.
    session(worker_options options, std::vector<registration> kinds);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    void start();
    /// Drains and ends the loop; blocks. See worker::stop.
    void stop(std::chrono::milliseconds drain_timeout);
    /// Blocking handlers still run: this object must never be destroyed (it is leaked).
    [[nodiscard]] bool abandoned() const noexcept { return abandoned_; }

    void set_paused(bool paused);
    /// An operator wants the worker to leave; called on the loop's thread. Before start().
    void on_dismissed(std::function<void()> then);
    /// See worker::ping.
    void ping(std::function<void()> answer);
    void set_concurrency(std::string queue, int concurrency);
    [[nodiscard]] const runtime& state() const noexcept { return shared_; }

   private:
    boost::asio::awaitable<void> drain(std::chrono::milliseconds drain_timeout);
    boost::asio::awaitable<bool> wait_settled(clock::time_point until, bool handlers_too);
    boost::asio::awaitable<void> say_goodbye();
    boost::asio::awaitable<void> cut_goodbye();
    void give_back_unstarted();
    void hand_over_running();

    const worker_options options_;
    const std::vector<registration> kinds_;
    boost::asio::io_context io_{1};
    runtime shared_;
    maintenance maintenance_;
    presence presence_;
    silence_watch silence_;
    std::thread thread_;
    bool abandoned_{false};
};

}  // namespace libqueue::engine
