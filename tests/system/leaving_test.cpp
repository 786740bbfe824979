#include "faults_fleet.hpp"
#include "faults_producer.hpp"
#include "support/pg_cluster.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

namespace {

std::string state_of(const std::string& dsn, const std::string& job) {
    return test::query(dsn, "SELECT state FROM queue.jobs WHERE id = $1::bigint", {job});
}

bool wait_for_state(const std::string& dsn, const std::string& job, const std::string& state,
                    std::chrono::milliseconds deadline = 20s) {
    return test::wait_until([&] { return state_of(dsn, job) == state; }, deadline);
}

std::string outcomes_of(const std::string& dsn, const std::string& job) {
    return test::query(dsn,
                       "SELECT string_agg(outcome::text, ' ' ORDER BY lease_id) "
                       "FROM queue.attempt WHERE job_id = $1::bigint",
                       {job});
}

std::string enqueue_sleep(const std::string& dsn, int ms, faults::journal& promised) {
    const auto id = test::query(dsn, "SELECT queue.enqueue('debug.sleep', $1::jsonb)",
                                {"{\"ms\":" + std::to_string(ms) + "}"});
    promised.ids.push_back(std::stoll(id));
    return id;
}

// The id under which a process is registered; empty when it is not.
std::string worker_id(const std::string& dsn, const std::string& name) {
    return test::query(dsn, "SELECT id FROM queue.worker WHERE name = $1", {name});
}

}  // namespace

TEST_SUITE("leaving") {
    TEST_CASE("leaving: a worker asked to drain ends its job first, deregistered, exit 0") {
        const test::test_database db;
        faults::journal promised;
        faults::fleet workers{db.dsn()};
        workers.grow(1);
        REQUIRE(workers.wait_ready());
        const auto job = enqueue_sleep(db.dsn(), 1500, promised);
        REQUIRE(wait_for_state(db.dsn(), job, "running"));
        db.execute("SELECT queue.ask_worker($1::bigint, 'drain')",
                   {worker_id(db.dsn(), workers.name(0))});
        const auto ended = workers.at(0).wait(20s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
        CHECK(outcomes_of(db.dsn(), job) == "completed");
        CHECK(worker_id(db.dsn(), workers.name(0)).empty());
    }

    TEST_CASE("leaving: an idle worker leaves at once, deregistered") {
        const test::test_database db;
        faults::fleet workers{db.dsn()};
        workers.grow(1);
        REQUIRE(workers.wait_ready());
        workers.at(0).signal(SIGTERM);
        const auto ended = workers.at(0).wait(5s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
        CHECK(worker_id(db.dsn(), workers.name(0)).empty());
    }

    TEST_CASE("leaving: a worker asked to leave finishes the job it runs") {
        const test::test_database db;
        faults::fleet workers{db.dsn()};
        faults::journal promised;
        workers.grow(1);
        REQUIRE(workers.wait_ready());
        const auto job = enqueue_sleep(db.dsn(), 4000, promised);
        REQUIRE(wait_for_state(db.dsn(), job, "running"));
        // Claimed is not begun: a job that no handler has seen yet would be given back.
        REQUIRE(test::wait_until(
            [&] { return test::query(db.dsn(), "SELECT active FROM queue.worker") == "1"; }));
        workers.at(0).signal(SIGTERM);
        const auto ended = workers.at(0).wait(15s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
        CHECK(outcomes_of(db.dsn(), job) == "completed");
        faults::audit(db.dsn(), promised);
    }

    TEST_CASE("leaving: a job longer than drain_timeout is handed over and finished elsewhere") {
        const test::test_database db;
        faults::fleet workers{db.dsn(), "drain_timeout: 500ms"};
        faults::journal promised;
        workers.grow(1);
        REQUIRE(workers.wait_ready());
        const auto job = enqueue_sleep(db.dsn(), 4000, promised);
        REQUIRE(wait_for_state(db.dsn(), job, "running"));
        workers.grow(2);
        REQUIRE(workers.wait_ready());
        workers.at(0).signal(SIGTERM);
        const auto ended = workers.at(0).wait(10s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
        CHECK(state_of(db.dsn(), job) != "completed");
        CHECK(wait_for_state(db.dsn(), job, "completed"));
        // Handed over, not lost: leaving costs the job none of its crash budget.
        CHECK(outcomes_of(db.dsn(), job) == "snoozed completed");
        faults::audit(db.dsn(), promised);
        CHECK(workers.stop());
    }

    TEST_CASE("leaving: a worker leaves within bounds while the database is down") {
        test::pg_cluster cluster;
        const test::test_database db{cluster};
        faults::fleet workers{db.dsn(), "drain_timeout: 1s"};
        faults::journal promised;
        workers.grow(1);
        REQUIRE(workers.wait_ready());
        const auto job = enqueue_sleep(db.dsn(), 800, promised);
        REQUIRE(wait_for_state(db.dsn(), job, "running"));
        cluster.kill();
        REQUIRE(workers.at(0).wait_for_text("database_lost"));
        workers.at(0).signal(SIGTERM);
        // drain_timeout, the grace of a handler, the last turns and the farewell.
        const auto ended = workers.at(0).wait(15s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);

        cluster.start();
        workers.restart(0);
        CHECK(wait_for_state(db.dsn(), job, "completed"));
        // It could not say what it did: to the others it died.
        CHECK(outcomes_of(db.dsn(), job) == "lost completed");
        faults::audit(db.dsn(), promised);
        CHECK(workers.stop());
    }

    TEST_CASE("leaving: a second SIGTERM leaves at once and others rescue the job") {
        const test::test_database db;
        faults::fleet workers{db.dsn()};
        faults::journal promised;
        workers.grow(1);
        REQUIRE(workers.wait_ready());
        const auto job = enqueue_sleep(db.dsn(), 3000, promised);
        REQUIRE(wait_for_state(db.dsn(), job, "running"));
        workers.grow(2);
        workers.at(0).signal(SIGTERM);
        REQUIRE(workers.at(0).wait_for_text("drain_started"));
        workers.at(0).signal(SIGTERM);
        const auto ended = workers.at(0).wait(2s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 130);
        CHECK(wait_for_state(db.dsn(), job, "completed"));
        CHECK(outcomes_of(db.dsn(), job) == "lost completed");
        CHECK(workers.count(1, "jobs_rescued") == 1);
        faults::audit(db.dsn(), promised);
    }
}
