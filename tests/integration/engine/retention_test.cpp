#include "ended_jobs.hpp"

#include <doctest/doctest.h>

#include <future>
#include <string>

using namespace engine_test;
using libqueue::job_id;

TEST_SUITE_BEGIN("retention");

namespace {

std::string attempts(const rig& t) {
    return t.db.query("SELECT count(*) FROM queue.attempt");
}

}  // namespace

TEST_CASE(
    "completed and cancelled jobs go with their attempts, after their retention, not before") {
    for (const std::string outcome : {"completed", "cancelled"}) {
        CAPTURE(outcome);
        rig t;
        const job_id old = ended(t, outcome, "15 days");
        const job_id young = ended(t, outcome, "13 days");

        CHECK(prune(t) == 1);

        CHECK_FALSE(exists(t, old));
        CHECK(exists(t, young));
        CHECK(attempts(t) == "1");
        CHECK(prune(t, "25 hours") == 1);
        CHECK(attempts(t) == "0");
    }
}

TEST_CASE("a job that waits, is delayed, retries or runs stays, however old it is") {
    rig t;
    const job_id waiting = t.enqueue("kept");
    const job_id delayed = t.enqueue("kept", "{}", "delay => interval '3000 days'");
    const job_id retrying = t.enqueue("kept");
    t.db.execute(
        "UPDATE queue.ready SET run_at = now() + interval '1 day', attempt = 1 "
        "WHERE id = $1",
        {std::to_string(retrying)});
    t.db.execute(
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, "
        "next_run_at, outcome, attempt) SELECT id, nextval('queue.lease_id_seq'), "
        "'2001-01-01', '2001-01-01', run_at, 'failed', 1 FROM queue.ready WHERE id = $1",
        {std::to_string(retrying)});
    const job_id running = t.enqueue("kept");
    t.db.execute(
        "WITH taken AS (DELETE FROM queue.ready WHERE id = $1 RETURNING id, attempt) "
        "INSERT INTO queue.lease SELECT nextval('queue.lease_id_seq'), 7, '2001-01-01', "
        "array_agg(id), array_agg(attempt) FROM taken",
        {std::to_string(running)});
    t.db.execute("UPDATE queue.job SET created_at = '2001-01-01'");

    CHECK(prune(t, "5000 days") == 0);

    for (const job_id id : {waiting, delayed, retrying, running}) {
        CHECK(exists(t, id));
    }
    CHECK(t.state(running) == "running");
    CHECK(t.state(retrying) == "retrying");
}

TEST_CASE("a dead letter keeps its job until it is discarded or its own time is over") {
    rig t;
    const job_id first = dead(t, "80 days");
    const job_id second = dead(t, "80 days");

    CHECK(prune(t) == 0);
    t.db.execute("SELECT queue.discard(ARRAY[$1::bigint])", {std::to_string(first)});
    CHECK(prune(t) == 1);
    CHECK(exists(t, second));
    CHECK(t.state(second) == "dead");
    CHECK(prune(t, "11 days") == 1);
    CHECK(t.db.query("SELECT count(*) FROM queue.dead_letter") == "0");
    CHECK(attempts(t) == "0");
}

TEST_CASE("a dead letter may go before its job") {
    rig t;
    t.db.execute("SELECT queue.set_dead_letter_retention('default', interval '1 day')");
    const job_id id = dead(t, "2 days");

    CHECK(prune(t) == 0);

    CHECK(t.db.query("SELECT count(*) FROM queue.dead_letter") == "0");
    CHECK(exists(t, id));
}

TEST_CASE("a kind's retention goes before its queue's; NULL is for ever") {
    rig t;
    const job_id shorter = ended(t, "completed", "10 days", "short");
    const job_id longer = ended(t, "completed", "20 days", "long");
    const job_id plain = ended(t, "completed", "20 days", "plain");
    t.db.execute(
        "SELECT queue.set_kind_retention('short', interval '7 days');"
        "SELECT queue.set_kind_retention('long', interval '30 days');"
        "SELECT queue.set_retention('default', NULL)");

    CHECK(prune(t) == 1);
    CHECK_FALSE(exists(t, shorter));
    t.db.execute("SELECT queue.set_retention('default', interval '14 days')");
    CHECK(prune(t) == 1);
    CHECK_FALSE(exists(t, plain));
    CHECK(exists(t, longer));
    CHECK(prune(t, "11 days") == 1);

    CHECK_THROWS_WITH_AS(t.db.execute("SELECT queue.set_retention('nowhere', interval '1 day')"),
                         doctest::Contains("unknown queue 'nowhere'"), test::sql_error);
    CHECK_THROWS_WITH_AS(t.db.execute("SELECT queue.set_retention('default', interval '-1 day')"),
                         doctest::Contains("expected 0 or more"), test::sql_error);
}

TEST_CASE("a job stays while a lease lists it, also one of an earlier attempt") {
    rig t;
    t.db.execute("SELECT queue.set_retention('default', interval '0')");
    const job_id id = ended(t, "completed", "1 day");
    t.db.execute(
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, "
        "next_run_at, outcome, attempt) VALUES ($1, 0, now(), now(), now(), 'failed', 1)",
        {std::to_string(id)});
    t.db.execute("INSERT INTO queue.lease VALUES (0, 7, now(), ARRAY[$1::bigint], '{0}')",
                 {std::to_string(id)});

    CHECK(prune(t) == 0);
    t.db.execute("DELETE FROM queue.lease");
    CHECK(prune(t) == 1);
}

TEST_CASE("a worker prunes the history it finds, and what was young it leaves") {
    rig t;
    t.enqueue_many("kept", 3000);
    end_all(t, "completed", "15 days");
    t.enqueue_many("kept", 10);
    end_all(t, "completed", "1 day");

    const auto worker = t.start({noop()});

    CHECK(test::wait_until([&] { return attempts(t) == "10"; }, 20s));
    CHECK(t.db.query("SELECT count(*) FROM queue.job") == "10");
}

TEST_CASE("a worker publishes the retention it is given and leaves the rest as it is") {
    rig t;
    t.db.execute(
        "SELECT queue.create_queue('other');"
        "SELECT queue.set_retention('other', interval '3 days')");
    auto options = t.options();
    options.queues[0].retention = 24h;
    options.queues[0].dead_letter_retention = 48h;
    options.queues.emplace_back("other", 1);
    auto kind = noop("given");
    kind.options.retention = 1h;

    const auto worker = t.start({kind, noop("plain")}, options);

    REQUIRE(test::wait_until([&] { return worker->id() != 0; }));
    CHECK(t.db.query("SELECT string_agg(name || ' ' || retention::text || ' ' || "
                     "dead_letter_retention::text, ', ' ORDER BY name) FROM queue.queue") ==
          "default 24:00:00 48:00:00, other 3 days 90 days");
    CHECK(t.db.query("SELECT string_agg(name || ' ' || coalesce(retention::text, '-'), ', ' "
                     "ORDER BY name) FROM queue.kind") == "given 01:00:00, plain -");
}

TEST_CASE("a snapshot that is held neither stops pruning nor makes a call long") {
    rig t;
    t.enqueue_many("kept", 20'000);
    end_all(t, "completed", "15 days");
    test::connection holder{t.db.dsn()};
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    REQUIRE(holder.query("SELECT count(*) FROM queue.job") == "20000");

    std::chrono::milliseconds longest{0};
    test::connection on{t.db.dsn()};
    // The second time a whole round steps over all that the snapshot keeps.
    for (int round = 0; round < 2; ++round) {
        on.execute("UPDATE queue.retention_walk SET whole_round_at = '-infinity'");
        std::string over;
        while (over != "t") {
            const auto begun = std::chrono::steady_clock::now();
            over = on.query("SELECT round_over FROM queue.prune_jobs(time_limit => '10 ms')");
            longest = std::max(longest, since(begun));
        }
        CHECK(t.db.query("SELECT count(*) FROM queue.job") == "0");
    }

    CHECK(holder.query("SELECT count(*) FROM queue.job") == "20000");
    CHECK(longest < test::scaled(500ms));
}

TEST_CASE("one walks at a time; what it did is undone with it and found by the next") {
    rig t;
    t.enqueue_many("kept", 100);
    end_all(t, "completed", "15 days");
    test::connection first{t.db.dsn()};
    first.execute("BEGIN");
    REQUIRE(first.query("SELECT jobs FROM queue.prune_jobs()") == "100");

    CHECK(t.db.query("SELECT examined || ' ' || round_over FROM queue.prune_jobs()") == "0 false");
    first.execute("ROLLBACK");

    CHECK(t.db.query("SELECT count(*) FROM queue.job") == "100");
    CHECK(prune(t) == 100);
}

TEST_CASE("a cancelled job is revived or pruned, never both") {
    rig t;
    const job_id id = ended(t, "cancelled", "15 days");
    test::connection other{t.db.dsn()};
    other.execute("BEGIN");
    other.execute("SELECT queue.retry($1)", {std::to_string(id)});

    CHECK(prune(t) == 0);
    other.execute("COMMIT");
    CHECK(prune(t) == 0);
    CHECK(t.state(id) == "ready");

    const job_id second = ended(t, "cancelled", "15 days");
    other.execute("BEGIN");
    REQUIRE(other.query("SELECT jobs FROM queue.prune_jobs(now() + interval '1 day')") == "2");
    auto late = std::async(std::launch::async, [&] {
        t.db.execute("SELECT queue.retry($1)", {std::to_string(second)});
    });
    REQUIRE(test::wait_until([&] {
        return t.db.query(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                   "AND query LIKE '%queue.retry%'") == "1";
    }));
    other.execute("COMMIT");
    CHECK_THROWS_WITH_AS(late.get(), doctest::Contains("no job"), test::sql_error);
    CHECK(t.db.query("SELECT count(*) FROM queue.ready") == "0");
}

TEST_CASE("a job that committed behind the walk goes with the next whole round") {
    rig t;
    const job_id late = ended(t, "completed", "15 days");
    t.db.execute(
        "CREATE TABLE kept_job AS SELECT * FROM queue.job;"
        "CREATE TABLE kept_attempt AS SELECT * FROM queue.attempt;"
        "DELETE FROM queue.job; DELETE FROM queue.attempt");
    t.enqueue_many("kept", 5);
    end_all(t, "completed", "15 days");
    REQUIRE(prune(t) == 5);
    t.db.execute(
        "INSERT INTO queue.job SELECT * FROM kept_job;"
        "INSERT INTO queue.attempt SELECT * FROM kept_attempt");

    CHECK(prune(t) == 0);
    CHECK(exists(t, late));
    CHECK(prune(t, "25 hours") == 1);
    CHECK(attempts(t) == "0");
}

TEST_CASE("keys go by their own time to live, and outlive their job until then") {
    rig t;
    const std::string keyed = "idempotency_key => 'order:1', idempotency_ttl => '30 days'";
    const job_id id = t.enqueue("kept", "{}", keyed);
    end_all(t, "completed", "15 days");
    t.db.execute(
        "INSERT INTO queue.idempotency SELECT gen_random_uuid(), 'k' || n, 1, '', "
        "now() - n * interval '1 hour' FROM generate_series(1, 2000) n");

    REQUIRE(prune(t) == 1);
    CHECK(t.enqueue("kept", "{}", keyed) == id);
    CHECK(t.db.query("SELECT keys || ' ' || round_over FROM queue.prune_keys()") == "2000 true");
    CHECK(t.enqueue("kept", "{}", keyed) == id);
    CHECK(t.db.query("SELECT keys FROM queue.prune_keys(now() + interval '31 days')") == "1");
    CHECK(t.enqueue("kept", "{}", keyed) != id);
}

TEST_CASE("progress and cancel requests go with the end of their job, not with an earlier end") {
    rig t;
    const job_id gone = ended(t, "completed", "1 hour");
    const job_id again = dead(t, "1 hour");
    t.db.execute("SELECT queue.replay(ARRAY[$1::bigint], start_at => now() + interval '1 day')",
                 {std::to_string(again)});
    for (const job_id id : {gone, again, again + 1000}) {
        t.db.execute("INSERT INTO queue.progress VALUES ($1, now(), 0.5)", {std::to_string(id)});
        t.db.execute("INSERT INTO queue.cancel_request VALUES ($1, now())", {std::to_string(id)});
    }

    const auto worker = t.start({noop()});

    REQUIRE(
        test::wait_until([&] { return t.db.query("SELECT count(*) FROM queue.progress") == "1"; }));
    CHECK(t.db.query("SELECT job_id FROM queue.progress") == std::to_string(again));
    CHECK(t.db.query("SELECT job_id FROM queue.cancel_request") == std::to_string(again));
}

TEST_SUITE_END();
