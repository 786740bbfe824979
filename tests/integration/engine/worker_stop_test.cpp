#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>

// Handlers that are told to stop: timeout, cancel.

TEST_SUITE_BEGIN("worker stop requests");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::outcome;
using libqueue::stop_reason;

namespace {

/// Opened by the test; a blocking handler waits for it.
class gate {
   public:
    void open() {
        const std::lock_guard lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return open_; });
    }
    /// Also ends when asked to stop; true when opened.
    bool wait(const std::stop_token& stop) {
        std::unique_lock lock{mutex_};
        return changed_.wait(lock, stop, [this] { return open_; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool open_{false};
};

/// Sleeps for ever; notes why it was told to stop and says retry.
libqueue::registration deaf_sleeper(std::atomic<stop_reason>& told) {
    return coroutine("long", [&told](job_context& context) -> awaitable<outcome> {
        const bool whole = co_await context.sleep(1h);
        told = context.stop_reason();
        co_return whole ? libqueue::completed() : libqueue::retry("stopped");
    });
}

}  // namespace

TEST_CASE("timeout: a coroutine is told through its sleep, its attempt counts as failed") {
    rig t;
    std::atomic<stop_reason> told{stop_reason::none};
    auto kind = deaf_sleeper(told);
    kind.options.timeout = 100ms;
    const auto id = t.enqueue("long", "{}", "max_attempts => 1");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(told == stop_reason::timeout);
    CHECK(t.seen.count(event_type::job_timed_out) == 1);
    CHECK(t.outcomes(id) == "failed");
    CHECK(t.db.query("SELECT error FROM queue.dead_letters") == "timed out after 100 ms: stopped");
}

TEST_CASE("timeout: a blocking handler is told through its stop token") {
    rig t;
    gate never;
    std::atomic<stop_reason> told{stop_reason::none};
    auto kind = blocking("long", [&](job_context& context) -> outcome {
        never.wait(context.stop_token());
        told = context.stop_reason();
        return libqueue::retry("stopped");
    });
    kind.options.timeout = 100ms;
    const auto id = t.enqueue("long", "{}", "max_attempts => 1");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(told == stop_reason::timeout);
}

TEST_CASE("timeout: what completes after it was told is completed all the same") {
    rig t;
    auto kind = coroutine("long", [](job_context& context) -> awaitable<outcome> {
        const bool whole = co_await context.sleep(1h);
        co_return whole ? libqueue::discard("impossible") : libqueue::completed();
    });
    kind.options.timeout = 50ms;
    const auto id = t.enqueue("long");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "completed");
}

TEST_CASE("timeout: a handler that does not listen is given up, and its late word refused") {
    rig t;
    gate stuck;
    std::atomic<int> runs{0};
    auto kind = blocking("stuck", [&](job_context&) -> outcome {
        if (++runs == 1) {
            stuck.wait();
            return libqueue::completed(R"("late")");
        }
        return libqueue::completed(R"("second")");
    });
    kind.options.timeout = 100ms;
    const auto id = t.enqueue("stuck");
    auto options = t.options(2);
    options.threads = 2;

    const auto worker = t.start({kind}, options);

    REQUIRE(t.wait_state(id, "completed", 20s));
    stuck.open();
    REQUIRE(test::wait_until([&] { return worker->active() == 0; }));
    worker->stop();
    CHECK(t.outcomes(id) == "failed completed");
    CHECK(t.db.query("SELECT output FROM queue.jobs WHERE id = $1", {std::to_string(id)}) ==
          "\"second\"");
    CHECK(t.faults() == "");
}

TEST_CASE("a blocking job told to stop before a thread was free does not begin") {
    rig t;
    gate first;
    std::atomic<int> begun{0};
    auto kind = blocking("few.threads", [&](job_context& context) -> outcome {
        ++begun;
        first.wait();
        return context.stop_requested() ? libqueue::retry("stopped") : libqueue::completed();
    });
    kind.options.timeout = 300ms;
    auto options = t.options(2);
    options.threads = 1;
    const auto ids = t.enqueue_many("few.threads", 2, "max_attempts => 1");

    const auto worker = t.start({kind}, options);

    REQUIRE(t.seen.wait_for(event_type::job_timed_out, 2));
    first.open();
    REQUIRE(t.wait_finished(2));
    CHECK(begun == 1);
    CHECK(t.db.query(
              "SELECT count(*) FROM queue.attempt WHERE error LIKE '%no thread was free%'") == "1");
}

TEST_CASE("cancel: a waiting job is cancelled at once and never runs") {
    rig t;
    const auto id = t.enqueue("noop", "{}", "delay => '1 hour'");
    const auto due = t.enqueue("noop");
    CHECK(t.db.query("SELECT queue.cancel($1, 'changed my mind')", {std::to_string(due)}) == "t");
    CHECK(t.db.query("SELECT queue.cancel($1)", {std::to_string(id)}) == "t");

    const auto worker = t.start({noop()});
    const auto last = t.enqueue("noop");

    REQUIRE(t.wait_state(last, "completed"));
    CHECK(t.state(id) == "cancelled");
    CHECK(t.state(due) == "cancelled");
    CHECK(t.faults() == "");
}

TEST_CASE("cancel: a running handler is told within milliseconds and decides") {
    rig t;
    std::atomic<stop_reason> told{stop_reason::none};
    auto options = t.options();
    options.heartbeat = 900ms;
    const auto id = t.enqueue("long");
    const auto worker = t.start({deaf_sleeper(told)}, options);
    REQUIRE(t.seen.wait_for(event_type::job_started));
    REQUIRE(t.seen.wait_for(event_type::worker_ready));

    const auto asked = std::chrono::steady_clock::now();
    CHECK(t.db.query("SELECT queue.cancel($1, 'no more')", {std::to_string(id)}) == "f");

    REQUIRE(t.seen.wait_for(event_type::job_cancel_asked));
    CHECK(since(asked) < test::scaled(300ms));
    // It said retry, which a cancel turns into the end.
    REQUIRE(t.wait_state(id, "cancelled"));
    CHECK(told == stop_reason::cancelled);
    CHECK(t.faults() == "");
}

TEST_CASE("cancel: without LISTEN a running handler is told with the next heartbeat") {
    rig t;
    std::atomic<stop_reason> told{stop_reason::none};
    auto options = t.options();
    options.listen = false;
    const auto id = t.enqueue("long");
    const auto worker = t.start({deaf_sleeper(told)}, options);
    REQUIRE(t.seen.wait_for(event_type::job_started));

    CHECK(t.db.query("SELECT queue.cancel($1)", {std::to_string(id)}) == "f");

    REQUIRE(t.wait_state(id, "cancelled", 3s));
    CHECK(told == stop_reason::cancelled);
}

TEST_CASE("cancel: one that completes in spite of it is completed") {
    rig t;
    const auto id = t.enqueue("stubborn");
    const auto worker =
        t.start({coroutine("stubborn", [](job_context& context) -> awaitable<outcome> {
            const bool whole = co_await context.sleep(1h);
            co_return whole ? libqueue::discard("impossible") : libqueue::completed();
        })});
    REQUIRE(t.seen.wait_for(event_type::job_started));

    CHECK(t.db.query("SELECT queue.cancel($1)", {std::to_string(id)}) == "f");

    REQUIRE(t.wait_state(id, "completed"));
}

TEST_CASE("cancel: a handler that ignores it is still subject to its timeout") {
    rig t;
    gate stuck;
    auto kind = blocking("stuck", [&](job_context&) -> outcome {
        stuck.wait();
        return libqueue::completed();
    });
    kind.options.timeout = 500ms;
    const auto id = t.enqueue("stuck");
    const auto worker = t.start({kind});
    REQUIRE(t.seen.wait_for(event_type::job_started));

    CHECK(t.db.query("SELECT queue.cancel($1)", {std::to_string(id)}) == "f");

    CHECK(t.wait_state(id, "cancelled", 20s));
    stuck.open();
    REQUIRE(test::wait_until([&] { return worker->active() == 0; }));
}

TEST_CASE(
    "cancel, then retry: the job runs again with fresh attempts and the cancel is forgotten") {
    rig t;
    std::atomic<int> runs{0};
    const auto id = t.enqueue("twice");
    const auto worker =
        t.start({coroutine("twice", [&](job_context& context) -> awaitable<outcome> {
            if (++runs == 1) {
                const bool whole = co_await context.sleep(1h);
                co_return whole ? libqueue::completed() : libqueue::cancelled();
            }
            co_return context.job().attempt == 1 ? libqueue::completed()
                                                 : libqueue::discard("not fresh");
        })});
    REQUIRE(t.seen.wait_for(event_type::job_started));
    CHECK(t.db.query("SELECT queue.cancel($1)", {std::to_string(id)}) == "f");
    REQUIRE(t.wait_state(id, "cancelled"));

    t.db.execute("SELECT queue.retry($1)", {std::to_string(id)});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(runs == 2);
    CHECK(t.outcomes(id) == "cancelled replayed completed");
    CHECK(t.db.query("SELECT count(*) FROM queue.cancel_request") == "0");
}

TEST_CASE("cancel of many running at once reaches every one of them") {
    rig t;
    std::atomic<int> told{0};
    const auto ids = t.enqueue_many("long", 100);
    const auto worker = t.start({coroutine("long",
                                           [&](job_context& context) -> awaitable<outcome> {
                                               const bool whole = co_await context.sleep(1h);
                                               told += whole ? 0 : 1;
                                               co_return libqueue::cancelled();
                                           })},
                                t.options(100));
    REQUIRE(t.seen.wait_for(event_type::job_started, 100));

    t.db.execute("SELECT queue.cancel(id) FROM queue.jobs");

    REQUIRE(t.wait_finished(100));
    CHECK(told == 100);
    CHECK(t.faults() == "");
}

TEST_SUITE_END();
