#include "faults_fleet.hpp"
#include "faults_producer.hpp"
#include "support/pg_cluster.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <chrono>
#include <random>
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

std::size_t lost_attempts(const std::string& dsn, const std::string& worker = {}) {
    return std::stoul(
        worker.empty()
            ? test::query(dsn, "SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'")
            : test::query(dsn,
                          "SELECT count(*) FROM queue.attempt "
                          "WHERE outcome = 'lost' AND worker_id = $1::bigint",
                          {worker}));
}

void no_loop_failed(const faults::fleet& workers) {
    const auto lines = workers.lines_of("internal_error");
    CHECK_MESSAGE(lines.empty(), lines);
}

// Stops the worker while it holds jobs and waits until others took them. Returns the id under which
// it was declared dead; empty when that did not happen.
std::string freeze_until_rescued(const std::string& dsn, faults::fleet& workers,
                                 std::size_t victim) {
    test::connection db{dsn};
    const auto holds_jobs = [&](const std::string& id) {
        return db.query("SELECT count(*) > 0 FROM queue.lease WHERE worker_id = $1::bigint",
                        {id}) == "t";
    };
    for (int tries = 0; tries < 20; ++tries) {
        std::string id;
        const auto at_work = [&] {
            id = worker_id(dsn, workers.name(victim));
            return !id.empty() && holds_jobs(id);
        };
        if (!test::wait_until(at_work)) {
            return {};
        }
        workers.at(victim).signal(SIGSTOP);
        // The turn it had sent may have given everything back: then there is nothing to rescue,
        // and it is stopped again another time. A rescue frees the lease and records the loss at
        // once, so the lease must be looked at first.
        bool rescued = false;
        const bool decided = test::wait_until(
            [&] {
                const bool held = holds_jobs(id);
                rescued = lost_attempts(dsn, id) > 0;
                return rescued || !held;
            },
            20s);
        if (rescued) {
            return id;
        }
        workers.at(victim).signal(SIGCONT);
        if (!decided) {
            return {};
        }
    }
    return {};
}

// Stops the worker past its lease and lets it go on. Returns false when the fault did not happen.
bool freeze_past_lease(const std::string& dsn, faults::fleet& workers, std::size_t victim) {
    const auto before = workers.count(victim, "lease_lost") + workers.count(victim, "worker_lost");
    const std::string id = freeze_until_rescued(dsn, workers, victim);
    const bool rescued = !id.empty();
    workers.at(victim).signal(SIGCONT);
    const bool told = test::wait_until(
        [&] {
            return workers.count(victim, "lease_lost") + workers.count(victim, "worker_lost") >
                   before;
        },
        20s);
    // It registers afresh: the old id stays dead.
    const bool afresh = test::wait_until(
        [&] {
            const auto now = worker_id(dsn, workers.name(victim));
            return !now.empty() && now != id;
        },
        20s);
    CHECK(rescued);
    CHECK(told);
    CHECK(afresh);
    return rescued && told && afresh;
}

}  // namespace

TEST_SUITE("faults") {
    TEST_CASE("faults: workers killed at any instant lose no job and finish none twice") {
        constexpr int kills = 20;
        std::mt19937_64 random{faults::seed()};
        MESSAGE("seed " << faults::seed());
        const test::test_database db;
        faults::fleet workers{db.dsn()};
        workers.grow(3);
        REQUIRE(workers.wait_ready());
        faults::producer load{db.dsn(), faults::producer::mode::plain, random()};

        int killed = 0;
        for (int round = 0; round < kills; ++round) {
            REQUIRE(load.wait_for_more(20 + random() % 100));
            faults::pass_time(random, 150ms);
            const std::size_t victim = random() % workers.size();
            killed += workers.at(victim).running() ? 1 : 0;
            workers.crash(victim);
        }
        const auto promised = load.finish();

        faults::audit(db.dsn(), promised);
        CHECK(killed == kills);
        CHECK(lost_attempts(db.dsn()) > 0);
        CHECK(workers.count_all("jobs_rescued") > 0);
        no_loop_failed(workers);
        CHECK(workers.stop());
        MESSAGE("killed " << killed << " workers, " << lost_attempts(db.dsn())
                          << " attempts were lost");
    }

    TEST_CASE("faults: a worker stopped past its lease is rescued and refused when it returns") {
        constexpr int stops = 5;
        std::mt19937_64 random{faults::seed() + 1};
        MESSAGE("seed " << faults::seed());
        const test::test_database db;
        faults::fleet workers{db.dsn()};
        workers.grow(3);
        REQUIRE(workers.wait_ready());
        faults::producer load{db.dsn(), faults::producer::mode::plain, random()};

        int stopped = 0;
        for (int round = 0; round < stops; ++round) {
            REQUIRE(load.wait_for_more(20 + random() % 50));
            faults::pass_time(random, 100ms);
            const std::size_t victim = random() % workers.size();
            stopped += freeze_past_lease(db.dsn(), workers, victim) ? 1 : 0;
        }
        const auto promised = load.finish();

        faults::audit(db.dsn(), promised);
        CHECK(stopped == stops);
        const auto refused = workers.count_all("lease_lost");
        const auto declared_dead = workers.count_all("worker_lost");
        CHECK(refused > 0);
        CHECK(declared_dead + refused >= static_cast<std::size_t>(stops));
        no_loop_failed(workers);
        CHECK(workers.stop());
        MESSAGE("stopped " << stopped << " workers: " << refused << " finishes refused, "
                           << declared_dead << " workers told that they were declared dead");
    }

    TEST_CASE("faults: a killed postmaster costs no acknowledged job and makes none twice") {
        constexpr int crashes = 3;
        std::mt19937_64 random{faults::seed() + 2};
        MESSAGE("seed " << faults::seed());
        test::pg_cluster_options durable;
        durable.fsync = true;
        test::pg_cluster cluster{durable};
        const test::test_database db{cluster};
        faults::fleet workers{db.dsn()};
        workers.grow(3);
        REQUIRE(workers.wait_ready());
        faults::producer load{db.dsn(), faults::producer::mode::keyed, random()};

        int killed = 0;
        for (int round = 0; round < crashes; ++round) {
            REQUIRE(load.wait_for_more(20 + random() % 100));
            faults::pass_time(random, 200ms);
            killed += cluster.postmaster_pid() > 0 ? 1 : 0;
            cluster.kill();
            faults::pass_time(random, 1s);
            cluster.start();
            // The same processes find their way back: nobody starts them again.
            REQUIRE(load.wait_for_more(350));
        }
        const auto promised = load.finish();

        faults::audit(db.dsn(), promised);
        CHECK(killed == crashes);
        CHECK(promised.repeats >= static_cast<std::size_t>(crashes));
        for (std::size_t place = 0; place < workers.size(); ++place) {
            CHECK(workers.at(place).running());
            CHECK(workers.count(place, "database_back") >= 1);
        }
        no_loop_failed(workers);
        CHECK(workers.stop());
        MESSAGE("killed the postmaster " << killed << " times; the workers lost the database "
                                         << workers.count_all("database_lost") << " times");
    }
}

TEST_SUITE("faults: SIGTERM") {
    TEST_CASE("faults: an idle worker leaves at once, deregistered") {
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

    TEST_CASE("faults: a worker asked to leave finishes the job it runs") {
        const test::test_database db;
        faults::fleet workers{db.dsn()};
        faults::journal promised;
        workers.grow(1);
        REQUIRE(workers.wait_ready());
        const auto job = enqueue_sleep(db.dsn(), 1500, promised);
        REQUIRE(wait_for_state(db.dsn(), job, "running"));
        workers.at(0).signal(SIGTERM);
        const auto ended = workers.at(0).wait(15s);
        REQUIRE(ended.has_value());
        CHECK(ended->code == 0);
        CHECK(outcomes_of(db.dsn(), job) == "completed");
        faults::audit(db.dsn(), promised);
    }

    TEST_CASE("faults: a job longer than drain_timeout is handed over and finished elsewhere") {
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

    TEST_CASE("faults: a worker leaves within bounds while the database is down") {
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

    TEST_CASE("faults: a second SIGTERM leaves at once and others rescue the job") {
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
