#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

using namespace engine_test;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::outcome;
using libqueue::stop_reason;

TEST_SUITE_BEGIN("engine drain");

TEST_CASE("drain: running jobs finish, unstarted ones go back to their very place") {
    rig t;
    t.enqueue_many("slow", 50);
    const std::string places = t.db.query(
        "SELECT string_agg(id || ' ' || run_at, ',' ORDER BY id) "
        "FROM queue.ready WHERE id > 5");
    auto options = t.options(5);
    const auto worker = t.start({sleeper("slow", 300ms)}, options);
    REQUIRE(test::wait_until([&] { return worker->active() == 5; }));

    worker->stop();

    const std::string done = t.db.query("SELECT count(*) FROM queue.attempt");
    CHECK(std::stoi(done) >= 5);
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome <> 'completed'") == "0");
    CHECK(t.db.query("SELECT count(*) FROM queue.lease") == "0");
    CHECK(t.db.query("SELECT count(*) FROM queue.worker") == "0");
    CHECK(std::stoi(t.db.query("SELECT count(*) FROM queue.ready")) == 50 - std::stoi(done));
    CHECK(t.db.query("SELECT count(*) FROM queue.ready r JOIN queue.job j USING (id) "
                     "WHERE r.run_at <> j.run_at OR r.attempt <> 0") == "0");
}

TEST_CASE("drain time over: the handler is told, its job goes to the next worker") {
    rig t;
    std::atomic<stop_reason> told{stop_reason::none};
    std::atomic<int> begun{0};
    const auto kind =
        coroutine("endless", [&](job_context& context) -> boost::asio::awaitable<outcome> {
            if (++begun > 1) {
                co_return libqueue::completed();
            }
            const bool slept = co_await context.sleep(std::chrono::hours{1});
            (void)slept;
            told = context.stop_reason();
            co_return libqueue::cancelled();
        });
    const auto id = t.enqueue("endless");
    const auto first = t.start({kind});
    REQUIRE(test::wait_until([&] { return begun == 1; }));

    first->stop(50ms);

    CHECK(told == stop_reason::shutdown);
    CHECK(t.state(id) == "ready");
    CHECK(t.db.query("SELECT attempt FROM queue.ready") == "0");
    const auto second = t.start({kind});
    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "snoozed completed");
}

TEST_CASE("a blocking handler that never returns does not keep stop() from returning") {
    rig t;
    static std::atomic<bool> release{false};
    release = false;
    std::atomic<int> begun{0};
    const auto kind = blocking("deaf", [&begun](job_context&) -> outcome {
        ++begun;
        // Waits on a static: it outlives the test, as an abandoned handler must assume nothing.
        release.wait(false);
        return libqueue::completed();
    });
    const auto id = t.enqueue("deaf");
    {
        const auto worker = t.start({kind});
        REQUIRE(test::wait_until([&] { return begun == 1; }));
        const auto from = std::chrono::steady_clock::now();
        worker->stop(50ms);
        CHECK(since(from) < test::scaled(5s));
    }
    CHECK(t.state(id) == "ready");
    CHECK(t.db.query("SELECT count(*) FROM queue.lease") == "0");
    release = true;
    release.notify_all();
}

TEST_CASE("fifty starts and stops under load lose and double nothing") {
    rig t;
    t.enqueue_many("work", 2'000);
    const auto worker = t.start({sleeper("work", 1ms)});
    for (int round = 0; round < 50; ++round) {
        worker->stop();
        worker->start();
    }

    REQUIRE(t.wait_finished(2'000, 60s));
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'completed'") == "2000");
    CHECK(t.faults() == "");
}

TEST_CASE("stop while the database is away returns within bounds") {
    test::pg_cluster own;
    rig t{own};
    t.enqueue_many("slow", 5);
    const auto worker = t.start({sleeper("slow", 100ms)});
    REQUIRE(test::wait_until([&] { return worker->active() > 0; }));
    own.kill();

    const auto from = std::chrono::steady_clock::now();
    worker->stop(500ms);

    CHECK(since(from) < test::scaled(8s));
    own.start();
    const auto next = t.start({sleeper("slow", 1ms)});
    REQUIRE(t.wait_finished(5, 30s));
    CHECK(t.faults() == "");
}

TEST_SUITE_END();
