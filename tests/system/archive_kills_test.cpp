// History that is to be archived, and the processes that prune it killed in the middle of it: each
// job is in one place at any moment, and in the archive in the end.

#include "faults_fleet.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;

TEST_SUITE("archives under kills") {
    TEST_CASE("workers that prune are killed ten times: no job is lost, none is doubled") {
        constexpr int total = 20'000;
        constexpr int kills = 10;
        const test::test_database db;
        db.execute(
            "SELECT queue.set_archive('debug.noop', 'kept');"
            "SELECT count(*) FROM (SELECT array_agg(jsonb_build_object('n', n)) AS payloads "
            "FROM generate_series(1, 20000) n) p, queue.enqueue_many('debug.noop', p.payloads);"
            "WITH gone AS (DELETE FROM queue.ready RETURNING id) "
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, worker_id, "
            "outcome, attempt, output) SELECT id, nextval('queue.lease_id_seq'), "
            "now() - interval '15 days', now() - interval '15 days', 7, 'completed', 1, "
            "to_jsonb(id) FROM gone;"
            "UPDATE queue.job SET created_at = now() - interval '16 days'");
        test::connection on{db.dsn()};
        const auto archived = [&] {
            return std::stoi(on.query("SELECT count(*) FROM queue.archived_job"));
        };
        const auto places = [&] {
            return on.query(
                "SELECT (SELECT count(*) FROM queue.job) + "
                "(SELECT count(*) FROM queue.archived_job)");
        };
        faults::fleet workers{db.dsn()};
        workers.grow(2);

        for (int kill = 0; kill < kills; ++kill) {
            CAPTURE(kill);
            const int wanted = (kill + 1) * total / (kills * 2);
            REQUIRE(test::wait_until(
                [&] {
                    CHECK(places() == std::to_string(total));
                    return archived() >= wanted;
                },
                test::scaled(60s)));
            CHECK(archived() < total);
            workers.crash(static_cast<std::size_t>(kill % 2));
        }
        REQUIRE(test::wait_until([&] { return archived() == total; }, test::scaled(120s)));

        CHECK(workers.stop());
        CHECK(on.query("SELECT count(*) FROM queue.job") == "0");
        CHECK(on.query("SELECT count(*) FROM queue.attempt") == "0");
        CHECK(on.query("SELECT count(DISTINCT payload ->> 'n') FROM queue.archived_job "
                       "WHERE output = to_jsonb(id) AND jsonb_array_length(attempts) = 1") ==
              std::to_string(total));
    }
}
