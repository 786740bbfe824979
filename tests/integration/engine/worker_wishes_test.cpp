#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

// What an operator asks of a running worker, and whether it does it.

TEST_SUITE_BEGIN("worker wishes");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::outcome;

namespace {

/// A worker in a thread that returns from run() when the worker was told to leave.
class running_worker {
   public:
    running_worker(rig& of, std::vector<libqueue::registration> kinds,
                   const std::optional<libqueue::worker_options>& wanted = std::nullopt)
        : rig_{of}, worker_{of.start(std::move(kinds), wanted)}, thread_{[this] {
              worker_->run();
              returned_ = true;
          }} {
        REQUIRE(rig_.seen.wait_for(event_type::worker_ready));
        id_ = rig_.db.query("SELECT id FROM queue.worker");
    }
    running_worker(const running_worker&) = delete;
    running_worker& operator=(const running_worker&) = delete;
    ~running_worker() {
        worker_->stop(0ms);
        thread_.join();
    }

    void ask(const std::string& wish) const {
        rig_.db.execute("SELECT queue.ask_worker($1::bigint, $2)", {id_, wish});
    }
    [[nodiscard]] bool heard(const std::string& wish) const {
        return rig_.seen.wait_for(event_type::worker_asked,
                                  [&](const auto& e) { return e.message == wish; });
    }
    [[nodiscard]] bool becomes(const std::string& state) const {
        return test::wait_until([&] {
            return rig_.db.query("SELECT state FROM queue.worker WHERE id = $1::bigint", {id_}) ==
                   state;
        });
    }
    /// Time enough to have done what it must not do.
    [[nodiscard]] bool beats(int times) const {
        const auto until = std::stoll(count()) + times;
        return test::wait_until([&] { return std::stoll(count()) >= until; });
    }
    [[nodiscard]] bool returned() const { return returned_; }
    [[nodiscard]] bool leaves() const {
        return test::wait_until([&] { return returned(); });
    }

   private:
    [[nodiscard]] std::string count() const {
        return rig_.db.query("SELECT beats FROM queue.worker WHERE id = $1::bigint", {id_});
    }

    rig& rig_;
    std::unique_ptr<libqueue::worker> worker_;
    std::string id_;
    std::atomic<bool> returned_{false};
    std::thread thread_;
};

/// Runs until the test lets it end.
class held_job {
   public:
    [[nodiscard]] libqueue::registration kind() {
        return blocking("held", [this](job_context& context) {
            std::unique_lock lock{mutex_};
            started_ = true;
            changed_.notify_all();
            return changed_.wait(lock, context.stop_token(), [this] { return open_; })
                       ? libqueue::completed()
                       : libqueue::retry("stopped");
        });
    }
    void wait_started() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return started_; });
    }
    void open() {
        const std::lock_guard lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }

   private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool started_{false};
    bool open_{false};
};

}  // namespace

TEST_CASE("a quiet worker claims nothing until it is to go on") {
    rig t;
    const running_worker worker{t, {noop()}};
    worker.ask("quiet");
    REQUIRE(worker.heard("quiet"));
    CHECK(worker.becomes("paused"));
    const auto id = t.enqueue("noop");
    REQUIRE(worker.beats(5));
    CHECK(t.state(id) == "ready");
    CHECK(t.seen.count(event_type::worker_dismissed) == 0);
    worker.ask("resume");
    CHECK(t.wait_state(id, "completed"));
    CHECK(worker.becomes("running"));
    CHECK_FALSE(worker.returned());
}

TEST_CASE("one that drains ends what it runs, takes nothing more and leaves") {
    rig t;
    held_job held;
    const running_worker worker{t, {held.kind(), noop()}};
    const auto running = t.enqueue("held");
    held.wait_started();
    worker.ask("drain");
    REQUIRE(worker.heard("drain"));
    const auto late = t.enqueue("noop");
    REQUIRE(worker.beats(5));
    CHECK_FALSE(worker.returned());
    CHECK(t.state(running) == "running");
    held.open();
    CHECK(worker.leaves());
    CHECK(t.state(running) == "completed");
    CHECK(t.state(late) == "ready");
    CHECK(t.seen.count(event_type::worker_dismissed) == 1);
    CHECK(t.db.query("SELECT count(*) FROM queue.worker") == "0");
}

TEST_CASE("one that drains may be told to go on after all") {
    rig t;
    held_job held;
    const running_worker worker{t, {held.kind(), noop()}};
    const auto running = t.enqueue("held");
    held.wait_started();
    worker.ask("drain");
    REQUIRE(worker.heard("drain"));
    worker.ask("resume");
    REQUIRE(worker.heard("resume"));
    held.open();
    CHECK(t.wait_state(running, "completed"));
    CHECK(t.wait_state(t.enqueue("noop"), "completed"));
    CHECK_FALSE(worker.returned());
}

TEST_CASE("one that is to stop waits for its jobs as long as at any stop, then gives them back") {
    rig t;
    held_job held;
    auto options = t.options();
    options.drain_timeout = 100ms;
    const running_worker worker{t, {held.kind()}, options};
    const auto running = t.enqueue("held");
    held.wait_started();
    worker.ask("stop");
    CHECK(worker.leaves());
    CHECK(t.state(running) != "running");
    CHECK(t.seen.count(event_type::worker_stopped) == 1);
    CHECK(t.db.query("SELECT count(*) FROM queue.worker") == "0");
}

TEST_CASE("what cannot be meant, and whom nobody can ask") {
    rig t;
    const running_worker worker{t, {noop()}};
    test::connection on{t.db.dsn()};
    const auto refusal = [&](const std::string& id, const std::string& wish) -> std::string {
        try {
            on.execute("SELECT queue.ask_worker($1::bigint, $2)", {id, wish});
        } catch (const test::sql_error& refused) {
            return refused.sqlstate() + " " + refused.what();
        }
        return {};
    };
    const auto id = t.db.query("SELECT id FROM queue.worker");
    CHECK(refusal(id, "sleep").find("LQ001") == 0);
    CHECK(refusal("99", "quiet").find("LQ005") == 0);
    // Of one whose last sign of life is too old; in a transaction that it does not see.
    on.execute("BEGIN");
    on.execute("UPDATE queue.worker SET beat_at = now() - interval '1 hour'");
    CHECK(refusal(id, "quiet").find("LQ006") == 0);
    on.execute("ROLLBACK");
    CHECK(worker.becomes("running"));
    CHECK(t.seen.count(event_type::worker_asked) == 0);
}

TEST_SUITE_END();
