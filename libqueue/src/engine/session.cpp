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
// A statement of a turn or a heartbeat without answer for so long means a dead connection; those of
// maintenance may be slow by nature.
constexpr std::chrono::seconds silence_min{10};
constexpr std::chrono::seconds slow_max{60};

/// Signals are the program's business, never this thread's.
void block_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

session::session(const worker_options& options, const std::vector<registration>& kinds)
    : shared_{io_, options, kinds}, presence_{shared_}, maintenance_{shared_}, silence_{shared_} {
    for (int number = 0; number < options.turn_connections; ++number) {
        shared_.lanes.push_back(std::make_unique<lane>(shared_, number));
    }
    const auto limit = std::max<std::chrono::milliseconds>(options.lease, silence_min);
    silence_.watch(presence_.connection(), limit);
    silence_.watch(maintenance_.connection(), std::max<std::chrono::milliseconds>(limit, slow_max));
    for (const auto& each : shared_.lanes) {
        silence_.watch(each->connection(), limit);
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
    boost::asio::post(io_, [this, drain_timeout] {
        shared_.tasks.spawn("drain", drain(drain_timeout));
    });
    thread_.join();
    if (shared_.pool != nullptr) {
        const bool busy = std::any_of(
            shared_.running.begin(), shared_.running.end(), [](const run_ptr& run) {
                const registration& handler = *run->kind->handler;
                return handler.handle_blocking || handler.reconcile_blocking;
            });
        if (busy) {
            abandoned_ = true;
        } else {
            shared_.pool->join();
        }
    }
}

bool session::settled() const {
    return std::all_of(shared_.lanes.begin(), shared_.lanes.end(),
                       [](const auto& each) { return each->settled(); });
}

boost::asio::awaitable<bool> session::wait_settled(clock::time_point until) {
    boost::asio::steady_timer timer{io_};
    while (!(shared_.running.empty() && settled()) && clock::now() < until) {
        timer.expires_after(settle_look);
        co_await timer.async_wait(use_ec);
    }
    co_return shared_.running.empty() && settled();
}

boost::asio::awaitable<void> session::drain(std::chrono::milliseconds drain_timeout) {
    shared_.report(event_type::worker_draining, "");
    shared_.draining = true;
    const auto until = clock::now() + drain_timeout;
    // A claim under way lands after this; its jobs go back in the next round.
    bool clean = false;
    while (!clean) {
        for (const auto& queue : shared_.queues) {
            for (const run_ptr& run : queue->unstarted) {
                --run->kind->unstarted;
                run->owner->give_back(run);
            }
            queue->unstarted.clear();
        }
        shared_.wake_lanes();
        const auto round = std::min(until, clock::now() + std::chrono::milliseconds{50});
        clean = co_await wait_settled(round);
        if (clock::now() >= until) {
            break;
        }
    }
    if (!clean && !shared_.running.empty()) {
        for (const run_ptr& run : shared_.running) {
            shared_.stop_run(*run, stop_reason::shutdown);
        }
        co_await wait_settled(clock::now() + stop_grace);
        hand_over_running();
    }
    if (!clean) {
        boost::asio::steady_timer timer{io_};
        const auto last = clock::now() + last_turns;
        while (!settled() && shared_.worker_id != 0 && clock::now() < last) {
            timer.expires_after(settle_look);
            co_await timer.async_wait(use_ec);
        }
    }
    shared_.stopping = true;
    presence_.wake();
    maintenance_.wake();
    silence_.wake();
    shared_.deadline_changed.notify();
    shared_.wake_lanes();
    boost::asio::steady_timer timer{io_};
    const auto ended = clock::now() + stop_grace;
    // The presence loop leaves its connection to us for the farewell.
    while (presence_.connection().busy_since() != clock::time_point::max() &&
           clock::now() < ended) {
        timer.expires_after(settle_look);
        co_await timer.async_wait(use_ec);
    }
    try {
        co_await presence_.deregister();
    } catch (const pg::sql_failure&) {
        // Then the others find out by themselves.
        shared_.report(event_type::database_lost, "while leaving");
    }
    shared_.report(event_type::worker_stopped, "");
    io_.stop();
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
