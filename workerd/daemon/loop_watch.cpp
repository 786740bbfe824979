#include "loop_watch.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace workerd {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Four looks to each interval of the watchdog: a loop may be busy for half of it and is still seen
// in time.
constexpr int looks_per_interval = 4;
constexpr steady_clock::duration longest_interval = 1s;
constexpr steady_clock::duration shortest_interval = 10ms;

steady_clock::duration interval_of(const service_manager& manager) {
    if (!manager.watchdog())
        return longest_interval;
    return std::clamp<steady_clock::duration>(*manager.watchdog() / looks_per_interval,
                                              shortest_interval, longest_interval);
}

}  // namespace

loop_watch::loop_watch(boost::asio::io_context& loop, const service_manager& manager, logger& log,
                       std::chrono::milliseconds lease)
    : loop_{loop},
      manager_{manager},
      log_{log},
      lease_{lease},
      interval_{interval_of(manager)},
      timer_{loop} {}

void loop_watch::start(libqueue::worker& worker, health& health, std::string queues) {
    worker_ = &worker;
    health_ = &health;
    queues_ = std::move(queues);
    manager_.status("starting");
    ask();
    timer_.expires_after(interval_);
    tick();
}

void loop_watch::tick() {
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error)
            return;
        judge();
        if (!waiting_)
            ask();
        tell_status();
        // From now, not from when it was due: after a stall there is nothing to catch up with.
        timer_.expires_after(interval_);
        tick();
    });
}

void loop_watch::ask() {
    asked_ = steady_clock::now();
    // A worker that has stopped cannot answer, and need not.
    waiting_ = worker_->ping([this] { boost::asio::post(loop_, [this] { answered(); }); });
}

void loop_watch::answered() {
    waiting_ = false;
    if (std::exchange(silent_, false)) {
        log_.warn("loop_answers", "the worker's loop turns again", {});
        health_->mark_silent(false);
    }
    if (!std::exchange(ready_, true)) {
        manager_.ready();
        tell_status();
    }
}

void loop_watch::judge() {
    if (!waiting_) {
        manager_.alive();
        return;
    }
    if (!silent_ && steady_clock::now() - asked_ > lease_) {
        silent_ = true;
        health_->mark_silent(true);
        log_.error("loop_silent", "the worker's loop does not turn: a handler blocks it",
                   {{"silent_ms", lease_.count()}});
    }
}

void loop_watch::mark_draining() {
    draining_ = true;
    tell_status();
}

void loop_watch::tell_status() {
    if (!manager_.is_present() || worker_ == nullptr)
        return;
    const char* doing = draining_ ? "draining: " : "";
    const char* database = worker_->connected() ? "" : "; no database";
    auto text = fmt::format("{}{} running, {} done; queues {}{}", doing, worker_->active(),
                            worker_->finished(), queues_, database);
    if (text == status_)
        return;
    status_ = std::move(text);
    manager_.status(status_);
}

void loop_watch::stop() {
    timer_.cancel();
}

}  // namespace workerd
