// A batch of twenty thousand items whose workers are killed in the middle of it, with items that
// complete, that are retried, that die and that are cancelled: it ends with exact counts, and each
// callback is enqueued once.

#include "faults_fleet.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace std::chrono_literals;

namespace {

constexpr int items = 20'000;
constexpr int kills = 12;

/// What is counted is, to the item, what the jobs say; and who was called back.
void check_items(test::connection& on) {
    CHECK(on.query("SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (SELECT "
                   "state, count(*) AS n FROM queue.jobs WHERE meta ? 'batch_id' "
                   "GROUP BY state) x") == "cancelled 1000, completed 18000, dead 1000");
    CHECK(on.query("SELECT count(*) || ' ' || count(DISTINCT u) FROM queue.batch_part p, "
                   "unnest(p.job_ids) u") == "20000 20000");
    CHECK(on.query("SELECT count(*) FROM queue.batch_failure") == "1000");
    CHECK(on.query("SELECT count(*) || ' ' || count(DISTINCT payload) || ' ' || "
                   "bool_and(payload->>'state' = 'PARTIAL_SUCCESS' AND "
                   "payload->>'total' = '20000') FROM queue.job WHERE meta ? 'callback_of'") ==
          "2 1 true");
    CHECK(on.query("SELECT on_failure_job_id IS NOT NULL AND on_finish_job_id IS NOT NULL "
                   "AND on_success_job_id IS NULL FROM queue.batches") == "t");
}

}  // namespace

TEST_SUITE("batches under kills") {
    TEST_CASE("20,000 items through kills of their workers: counts exact, callbacks once") {
        MESSAGE("LIBQUEUE_FAULT_SEED=" << faults::seed());
        std::mt19937_64 random{faults::seed()};
        const test::test_database db;
        test::connection on{db.dsn()};
        faults::fleet workers{db.dsn()};
        workers.grow(3);
        REQUIRE(workers.wait_ready());

        on.execute(
            "SELECT queue.create_batch('big', 'debug.noop', 'debug.noop', 'debug.noop', "
            "payload => '{\"callback\": true}')");
        // Added while they run: of every twenty one dies and one is cancelled, the others complete.
        std::size_t killed = 0;
        const auto kill_one = [&] {
            faults::pass_time(random, 200ms);
            workers.crash(killed++ % workers.size());
        };
        for (int part = 0; part < 20; ++part) {
            on.execute(
                "SELECT queue.enqueue_many('debug.sleep', array_fill('{\"ms\": 5}'::jsonb, "
                "ARRAY[900]), batch_id => 1)");
            on.execute(
                "SELECT queue.enqueue_many('debug.fail', array_fill('{}'::jsonb, ARRAY[50]), "
                "max_attempts => 2, batch_id => 1)");
            on.execute(
                "SELECT queue.cancel(id) FROM queue.enqueue_many('debug.noop', "
                "array_fill('{}'::jsonb, ARRAY[50]), delay => '1 hour', batch_id => 1) id");
            if (part % 2 == 1 && killed < kills) {
                kill_one();
            }
        }
        on.execute("SELECT queue.seal_batch(1)");
        while (killed < kills) {
            kill_one();
        }

        const std::string counts{
            "SELECT concat_ws(' ', state, total, succeeded, failed, cancelled) "
            "FROM queue.batches"};
        const bool ended = test::wait_until(
            [&] { return on.query("SELECT finished_at FROM queue.batches") != ""; },
            test::scaled(120s));
        MESSAGE("killed " << killed << " times; " << on.query(counts) << "; "
                          << on.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'")
                          << " runs lost");
        REQUIRE(ended);
        CHECK(on.query("SELECT count(*) > 0 FROM queue.attempt WHERE outcome = 'lost'") == "t");
        CHECK(on.query(counts) == "PARTIAL_SUCCESS 20000 18000 1000 1000");
        check_items(on);

        // The dead are replayed and die again: nothing is counted twice.
        on.execute(
            "SELECT queue.replay(array_agg(id)) FROM (SELECT id FROM queue.dead_letters "
            "LIMIT 100) x");
        REQUIRE(test::wait_until(
            [&] { return on.query(counts) == "PARTIAL_SUCCESS 20000 18000 1000 1000"; },
            test::scaled(60s)));
        REQUIRE(test::wait_until(
            [&] { return on.query("SELECT count(*) FROM queue.batch_tally") == "0"; },
            test::scaled(30s)));
        CHECK(on.query("SELECT count(*) FROM queue.job WHERE meta ? 'callback_of'") == "2");
        CHECK(workers.stop());
    }
}
