#include "engine/rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

using namespace engine_test;
using libqueue::event_type;

TEST_SUITE_BEGIN("connections: refusals");

namespace {

test::pg_cluster_options small() {
    test::pg_cluster_options options;
    options.settings = {"max_connections=20"};
    return options;
}

/// A server of its own, on which the worker has a role of its own.
class bench {
   public:
    bench() { test::execute(own.dsn(), "CREATE ROLE service SUPERUSER LOGIN"); }

    [[nodiscard]] std::unique_ptr<libqueue::worker> start(int concurrency = 10) {
        auto wanted = t.options(concurrency);
        wanted.dsn = t.db.dsn() + " user=service";
        auto worker = t.start({blocking("work",
                                        [this](libqueue::job_context&) {
                                            ++runs;
                                            return libqueue::completed();
                                        })},
                              wanted);
        REQUIRE(t.seen.wait_for(event_type::worker_ready));
        return worker;
    }
    /// The role's settings count from the next session on.
    void set(const std::string& what) {
        test::execute(own.dsn(), "ALTER ROLE service " + what);
        cut();
    }
    void cut() const {
        test::execute(own.dsn(),
                      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                      "WHERE usename = 'service'");
    }
    [[nodiscard]] bool logged(const std::string& text) const {
        return test::wait_until([&] { return own.log().find(text) != std::string::npos; }, 20s);
    }
    void all_ran_once(int jobs) {
        CHECK(t.wait_finished(jobs, 30s));
        CHECK(runs == jobs);
        CHECK(t.db.query("SELECT count(*) FROM queue.attempt") == std::to_string(jobs));
        CHECK(t.seen.count(event_type::worker_lost) == 0);
    }

    test::pg_cluster own{small()};
    rig t{own};
    std::atomic<int> runs{0};
};

}  // namespace

TEST_CASE("a statement_timeout of the role: tried again until it passes, nothing twice") {
    bench b;
    const auto worker = b.start();
    int jobs = 0;
    for (int burst = 0; burst < 3; ++burst) {
        b.t.enqueue_many("work", 100);
        jobs += 100;
        b.set("SET statement_timeout = '1ms'");
        const auto before = b.own.log().size();
        REQUIRE(test::wait_until([&] {
            return b.own.log().find("due to statement timeout", before) != std::string::npos;
        }));
        b.set("RESET statement_timeout");
    }

    b.all_ran_once(jobs);
    worker->stop();
    CHECK(b.t.faults() == "");
}

TEST_CASE("a lock_timeout of the role while a table is locked: the same") {
    bench b;
    const auto worker = b.start();
    b.set("SET lock_timeout = '5ms'");
    b.t.enqueue_many("work", 100);
    REQUIRE(b.t.wait_finished(100));
    for (const std::string table : {"queue.attempt", "queue.ready", "queue.lease"}) {
        test::connection blocker{b.t.db.dsn()};
        blocker.execute("BEGIN");
        blocker.execute(
            "SELECT queue.enqueue_many('work', ARRAY(SELECT '{}'::jsonb FROM "
            "generate_series(1, 50)))");
        blocker.execute("COMMIT");
        blocker.execute("BEGIN");
        blocker.execute("LOCK TABLE " + table + " IN EXCLUSIVE MODE");
        const auto before = b.own.log().size();
        CHECK(test::wait_until(
            [&] { return b.own.log().find("due to lock timeout", before) != std::string::npos; }));
        blocker.execute("COMMIT");
    }

    b.all_ran_once(250);
    worker->stop();
    CHECK(b.t.faults() == "");
}

TEST_CASE("a turn that loses a deadlock is said again: finished once, and the line goes on") {
    bench b;
    std::atomic<bool> go{false};
    auto wanted = b.t.options(1);
    wanted.turn_connections = 1;
    wanted.dsn = b.t.db.dsn() + " user=service";
    const auto worker = b.t.start({blocking("work",
                                            [&](libqueue::job_context&) {
                                                ++b.runs;
                                                CHECK(test::wait_until([&] { return go.load(); }));
                                                return libqueue::completed();
                                            })},
                                  wanted);
    const auto first = b.t.enqueue("work");
    REQUIRE(b.t.wait_state(first, "running"));
    b.t.enqueue_many("work", 3);
    test::connection other{b.t.db.dsn()};
    other.execute("SET deadlock_timeout = '60s'");  // so the turn is the victim
    other.execute("BEGIN");
    other.execute("LOCK TABLE queue.ready IN EXCLUSIVE MODE");

    go = true;
    // The turn holds the lease it finishes and waits for the line.
    REQUIRE(test::wait_until([&] {
        return b.t.db.query(
                   "SELECT count(*) FROM pg_locks WHERE NOT granted "
                   "AND relation = 'queue.ready'::regclass") != "0";
    }));
    other.execute("SELECT FROM queue.lease FOR UPDATE");
    other.execute("COMMIT");

    CHECK(b.logged("deadlock detected"));
    b.all_ran_once(4);
    worker->stop();
    CHECK(b.t.faults() == "");
}

TEST_CASE("every connection of the server is taken: a worker goes on when some are free") {
    bench b;
    const auto worker = b.start();
    b.t.enqueue_many("work", 50);
    REQUIRE(b.t.wait_finished(50));
    const auto id = worker->id();

    test::connection admin{b.own.dsn()};
    std::vector<std::unique_ptr<test::connection>> taken;
    // The worker reconnects as fast as others take the places, so it is cut until all are theirs.
    constexpr std::size_t places = 20 - 1;
    REQUIRE(test::wait_until([&] {
        try {
            while (true) {
                taken.push_back(std::make_unique<test::connection>(b.t.db.dsn()));
            }
        } catch (const test::sql_error&) {
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = 'service'");
        }
        return taken.size() == places;
    }));
    REQUIRE(b.logged("too many clients"));
    taken.front()->execute(
        "SELECT queue.enqueue_many('work', ARRAY(SELECT '{}'::jsonb FROM "
        "generate_series(1, 50)))");
    CHECK_FALSE(test::wait_until([&] { return b.runs > 50; }, 1s));
    taken.clear();

    b.all_ran_once(100);
    CHECK(worker->id() == id);
    worker->stop();
    CHECK(b.t.faults() == "");
}

TEST_CASE("a server that turned read-only is left, and served again when it takes writes") {
    bench b;
    const auto worker = b.start();
    b.t.enqueue_many("work", 50);
    REQUIRE(b.t.wait_finished(50));
    test::connection admin{b.t.db.dsn()};
    admin.execute("SET default_transaction_read_only = off");
    b.t.seen.clear();

    admin.execute("ALTER SYSTEM SET default_transaction_read_only = on");
    admin.execute("SELECT pg_reload_conf()");
    REQUIRE(b.t.seen.wait_for(event_type::database_lost, [](const test::recorded_event& e) {
        return e.message.find("read-only") != std::string::npos;
    }));
    admin.execute(
        "SELECT queue.enqueue_many('work', ARRAY(SELECT '{}'::jsonb FROM "
        "generate_series(1, 50)))");
    admin.execute("ALTER SYSTEM RESET default_transaction_read_only");
    admin.execute("SELECT pg_reload_conf()");

    REQUIRE(b.t.wait_finished(100, 30s));
    CHECK(b.runs == 100);
    CHECK(b.t.seen.count(event_type::worker_lost) == 0);
    worker->stop();
    CHECK(b.t.faults() == "");
}

TEST_SUITE_END();
