// A bulk replay, and the processes that do it killed in the middle of it again and again: what it
// says it did is what was done, and nothing was done twice.

#include "faults_fleet.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace std::chrono_literals;

TEST_SUITE("operations under kills") {
    TEST_CASE("workers that replay are killed ten times: each letter is replayed once") {
        // LIBQUEUE_OPERATION_LETTERS: more of them, for a long run.
        const char* const asked = std::getenv("LIBQUEUE_OPERATION_LETTERS");
        const int total = asked != nullptr ? std::stoi(asked) : 6'000;
        constexpr int kills = 10;
        const test::test_database db;
        db.execute(
            "SELECT count(*) FROM (SELECT array_agg(jsonb_build_object('n', n)) AS payloads "
            "FROM generate_series(1, " + std::to_string(total) + ") n) p, "
            "queue.enqueue_many('debug.noop', p.payloads);"
            "WITH gone AS (DELETE FROM queue.ready RETURNING id) "
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, worker_id, "
            "outcome, attempt, error) SELECT id, nextval('queue.lease_id_seq'), now(), now(), 7, "
            "'discarded', 1, 'boom' FROM gone;"
            "INSERT INTO queue.dead_letter (job_id, died_at, created_at, queue, kind, priority, "
            "max_attempts, attempt, reason, error, fingerprint, payload, attempts) "
            "SELECT j.id, now(), j.created_at, 'default', 'debug.noop', 5, 4, 1, 'discarded', "
            "'boom', queue.fingerprint('debug.noop', 'boom'), j.payload, '[]' FROM queue.job j");
        test::connection on{db.dsn()};
        const auto counted = [&] {
            return std::stoi(on.query("SELECT done FROM queue.operation"));
        };
        const auto replayed = [&] {
            return on.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'replayed'");
        };
        REQUIRE(on.query(R"(SELECT queue.create_operation('replay', '[{"field": "error", "any": )"
                         R"([{"part": "boom"}]}]', 'error:boom', undo => '0'))") == "1");
        CHECK(on.query("SELECT matched FROM queue.operation") == std::to_string(total));
        faults::fleet workers{db.dsn()};
        workers.grow(2);

        for (int kill = 0; kill < kills; ++kill) {
            CAPTURE(kill);
            const int wanted = (kill + 1) * total / (kills * 2);
            REQUIRE(test::wait_until([&] { return counted() >= wanted; }, test::scaled(60s)));
            workers.crash(static_cast<std::size_t>(kill % 2));
            // One snapshot: what is said and what is done commit together.
            CHECK(on.query("SELECT o.done = (SELECT count(*) FROM queue.attempt a "
                           "WHERE a.outcome = 'replayed') FROM queue.operation o") == "t");
        }
        REQUIRE(test::wait_until(
            [&] { return on.query("SELECT state FROM queue.operation") == "completed"; },
            test::scaled(120s)));

        CHECK(counted() == total);
        CHECK(replayed() == std::to_string(total));
        CHECK(on.query("SELECT count(DISTINCT job_id) FROM queue.attempt "
                       "WHERE outcome = 'replayed'") == std::to_string(total));
        CHECK(on.query("SELECT skipped + failed FROM queue.operation") == "0");
        CHECK(on.query("SELECT count(*) FROM queue.dead_letter") == "0");
        CHECK(on.query("SELECT count(*) FROM queue.audit WHERE action = 'operations.end'") == "1");
        CHECK(workers.stop());
    }
}
