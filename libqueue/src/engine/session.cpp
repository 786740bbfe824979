#include "engine/session.hpp"

#include "engine/timeouts.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <pthread.h>

#include <algorithm>
#include <csignal>

namespace libqueue::engine {
namespace {

// After the drain time: for handlers to notice they should stop, and for the last turns.
constexpr std::chrono::milliseconds stop_grace{500};
constexpr std::chrono::milliseconds last_turns{2'000};
constexpr std::chrono::milliseconds settle_look{5};
// Between a blocking handler's answer and its thread being free.
constexpr std::chrono::milliseconds last_calls{100};
// A turn without answer for so long means a dead connection.
constexpr std::chrono::seconds turn_max{10};

/// A beat is the update of one row. Whose beats stop for a lease is dead to the others, so a beat
/// that gets no answer must leave time for a new connection and one more.
std::chrono::milliseconds beat_max(std::chrono::milliseconds lease) {
    return std::clamp<std::chrono::milliseconds>(lease / 3, std::chrono::milliseconds{250},
                                                 turn_max);
}

/// Signals are the program's business, never this thread's.
void block_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

session::session(worker_options options_given, std::vector<registration> kinds)
    : options_{std::move(options_given)},
      kinds_{std::move(kinds)},
      shared_{io_, options_, kinds_},
      maintenance_{shared_},
      presence_{shared_, maintenance_},
      silence_{shared_} {
    const worker_options& options = options_;
    for (int number = 0; number < options.turn_connections; ++number) {
        shared_.lanes.push_back(std::make_unique<lane>(shared_, number));
    }
    silence_.watch(presence_.connection(), beat_max(options.lease));
    silence_.watch(maintenance_.connection(), turn_max);
    silence_.watch(shared_.calls.connection(), turn_max);
    for (std::size_t number = 0; number < finisher::connections; ++number) {
        silence_.watch(shared_.finisher.connection(number), turn_max);
    }
    for (const auto& each : shared_.lanes) {
        silence_.watch(each->connection(), turn_max);
    }
}

session::~session() {
    if (thread_.joinable()) {
        stop(std::chrono::milliseconds{0});
    }
}

void session::start() {
    shared_.tasks.spawn("presence", presence_.run());
    shared_.tasks.spawn("maintenance", maintenance_.run());
    shared_.tasks.spawn("timeouts", watch_timeouts(shared_));
    shared_.tasks.spawn("silence", silence_.run());
    for (std::size_t number = 0; number < finisher::connections; ++number) {
        shared_.tasks.spawn("finisher", shared_.finisher.run(number));
    }
    for (const auto& each : shared_.lanes) {
        shared_.tasks.spawn("lane", each->run());
    }
    thread_ = std::thread{[this] {
        block_signals();
        const auto guard = boost::asio::make_work_guard(io_);
        io_.run();
    }};
}

void session::stop(std::chrono::milliseconds drain_timeout) {
    if (!thread_.joinable()) {
        return;
    }
    boost::asio::post(
        io_, [this, drain_timeout] { shared_.tasks.spawn("drain", drain(drain_timeout)); });
    thread_.join();
    if (shared_.pool != nullptr) {
        // Handlers that wait for a thread never begin: their jobs were handed over.
        shared_.pool->stop();
        abandoned_ = !shared_.blocking_runs.close(last_calls);
        if (!abandoned_) {
            shared_.pool->join();
        }
    }
}

void session::give_back_unstarted() {
    for (const auto& queue : shared_.queues) {
        shared_.give_back_unstarted(*queue);
    }
}

/// Waits until everything said is recorded and, if asked, nothing runs. A claim under way when the
/// drain began lands meanwhile: its jobs go back, too.
boost::asio::awaitable<bool> session::wait_settled(clock::time_point until, bool handlers_too) {
    boost::asio::steady_timer timer{io_};
    for (;;) {
        give_back_unstarted();
        const bool done = shared_.settled() && (!handlers_too || shared_.running.empty());
        if (done || clock::now() >= until) {
            co_return done;
        }
        timer.expires_after(settle_look);
        co_await timer.async_wait(use_ec);
    }
}

boost::asio::awaitable<void> session::drain(std::chrono::milliseconds drain_timeout) {
    shared_.report(event_type::worker_draining, "");
    shared_.draining = true;
    shared_.wake_lanes();
    const bool clean = co_await wait_settled(clock::now() + drain_timeout, true);
    if (!shared_.running.empty()) {
        const std::vector<run_ptr> told = shared_.running;
        for (const run_ptr& run : told) {
            shared_.stop_run(*run, stop_reason::shutdown);
        }
        co_await wait_settled(clock::now() + stop_grace, true);
        hand_over_running();
    }
    if (!clean && shared_.worker_id != 0) {
        co_await wait_settled(clock::now() + last_turns, false);
    }
    shared_.stopping = true;
    presence_.wake();
    maintenance_.wake();
    silence_.wake();
    shared_.deadline_changed.notify();
    shared_.finisher.wake();
    shared_.wake_lanes();
    co_await say_goodbye();
    shared_.report(event_type::worker_stopped, "");
    io_.stop();
}

/// Bounded: a database that hangs must not keep the process from leaving.
boost::asio::awaitable<void> session::say_goodbye() {
    boost::asio::steady_timer timer{io_};
    const auto ended = clock::now() + last_turns;
    // The presence loop leaves its connection to us for the farewell.
    while (presence_.connection().busy_since() != clock::time_point::max()) {
        if (clock::now() >= ended) {
            shared_.report(event_type::database_lost, "while leaving: no answer");
            co_return;
        }
        timer.expires_after(settle_look);
        co_await timer.async_wait(use_ec);
    }
    shared_.tasks.spawn("farewell", cut_goodbye());
    try {
        co_await presence_.deregister();
    } catch (const pg::sql_failure&) {
        // Then the others find out by themselves.
        shared_.report(event_type::database_lost, "while leaving");
    }
}

boost::asio::awaitable<void> session::cut_goodbye() {
    boost::asio::steady_timer timer{io_};
    timer.expires_after(last_turns);
    co_await timer.async_wait(use_ec);
    presence_.connection().abort();
}

/// Handlers that did not stop in time: their jobs go to whoever is next, by the kind's rule for a
/// lost worker. What they still return is refused by the fence.
void session::hand_over_running() {
    const std::vector<run_ptr> left = shared_.running;
    for (const run_ptr& run : left) {
        if (run->finished) {
            continue;
        }
        const std::string why = "the worker left before the handler returned";
        shared_.finish(run,
                       run->kind->handler->options.on_lost == on_lost::retry
                           ? snooze(std::chrono::milliseconds{0}, why)
                           : unknown(why),
                       false);
    }
}

void session::set_paused(bool paused) {
    shared_.paused.store(paused);
    boost::asio::post(io_, [this] { shared_.look_everywhere(); });
}

void session::on_dismissed(std::function<void()> then) {
    shared_.dismissed = std::move(then);
}

void session::ping(std::function<void()> answer) {
    boost::asio::post(io_, std::move(answer));
}

void session::set_concurrency(std::string queue, int concurrency) {
    boost::asio::post(io_, [this, name = std::move(queue), concurrency] {
        if (queue_state* found = shared_.find_queue(name); found != nullptr) {
            found->concurrency = concurrency;
            shared_.pump(*found);
            shared_.look_now(*found);
        }
    });
}

}  // namespace libqueue::engine
