#include "stand_in_worker.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/migrate.hpp>
#include <libqueue/operations.hpp>

#include <doctest/doctest.h>
#include <libpq-fe.h>

// The functions and views as any SQL client sees them: names, arguments, results and SQLSTATEs are
// promises.

namespace {

/// The SQLSTATE a statement is refused with; empty when it is not.
std::string refusal(const test::test_database& db, const std::string& sql,
                    const test::parameters& with = {}) {
    try {
        db.execute(sql, with);
    } catch (const test::sql_error& what) {
        return what.sqlstate();
    }
    return {};
}

std::string notified(test::connection& on) {
    on.execute("SELECT 1");
    std::string channels;
    while (PGnotify* one = PQnotifies(on.get())) {
        channels += std::string{one->relname} + ":" + one->extra + " ";
        PQfreemem(one);
    }
    return channels;
}

TEST_SUITE("SQL API") {
    TEST_CASE("enqueue: positional, named, and with nothing but a kind and a payload") {
        const test::test_database db;

        CHECK(db.query("SELECT queue.enqueue('email.send', '{\"to\":\"a@b.c\"}')") == "1");
        CHECK(db.query("SELECT queue.enqueue('a.b', '[]', 'default', 1, now() + interval '1 day',"
                       " 'key', 3, '11111111-2222-3333-4444-555555555555', '{\"m\": 1}')") == "2");
        CHECK(db.query("SELECT queue.enqueue('a.b', 'null', delay => '90 seconds', "
                       "tags => ARRAY['x'], traceparent => '00-ab', "
                       "idempotency_key => 'other', idempotency_ttl => '1 hour')") == "3");

        const auto row = db.rows(
            "SELECT state, priority, max_attempts, tenant_id, meta FROM queue.jobs WHERE id = 2");
        CHECK(row.at(0) == test::row{"scheduled", "1", "3", "11111111-2222-3333-4444-555555555555",
                                     R"({"m": 1, "idempotency_key": "key"})"});
        CHECK(db.query("SELECT run_at - created_at FROM queue.jobs WHERE id = 3") == "00:01:30");
        CHECK(db.query("SELECT meta FROM queue.jobs WHERE id = 3") ==
              R"({"tags": ["x"], "traceparent": "00-ab", "idempotency_key": "other"})");
        CHECK(db.query("SELECT expires_at - now() > interval '59 minutes' FROM queue.idempotency "
                       "WHERE key = 'other'") == "t");
    }

    TEST_CASE("enqueue: inside the caller's transaction, rolled back with it") {
        const test::test_database db;
        test::connection on{db.dsn()};

        on.execute("BEGIN");
        CHECK_FALSE(on.query("SELECT queue.enqueue('a.b', '{}', idempotency_key => 'k')").empty());
        on.execute("ROLLBACK");

        CHECK(db.query("SELECT count(*) FROM queue.job") == "0");
        CHECK(db.query("SELECT count(*) FROM queue.idempotency") == "0");
        CHECK(db.query("SELECT count(*) FROM queue.ready") == "0");
    }

    TEST_CASE("enqueue: a session's trace context goes into every job's meta") {
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute("SET libqueue.traceparent = '00-cd'");

        on.execute("SELECT queue.enqueue('a.b', '{}')");
        on.execute("SELECT queue.enqueue('a.b', '{}', traceparent => '00-ef')");
        on.execute("SELECT queue.enqueue_many('a.b', ARRAY['1', '2']::jsonb[])");

        CHECK(db.query("SELECT string_agg(meta ->> 'traceparent', ' ' ORDER BY id) "
                       "FROM queue.job") == "00-cd 00-ef 00-cd 00-cd");
    }

    TEST_CASE("enqueue_many: ids in the order of the payloads, none for an empty array") {
        const test::test_database db;

        const auto made = db.rows(
            "SELECT queue.enqueue_many('a.b', ARRAY['1', '2', '3']::jsonb[],"
            " priority => 2, tags => '{t}')");
        const auto none = db.rows("SELECT queue.enqueue_many('a.b', '{}')");

        REQUIRE(made.size() == 3);
        CHECK(none.empty());
        CHECK(db.query("SELECT string_agg(payload::text, ',' ORDER BY id) FROM queue.jobs "
                       "WHERE priority = 2 AND meta -> 'tags' ? 't'") == "1,2,3");
    }

    TEST_CASE("errors: what is outside the limits is LQ001") {
        const test::test_database db;

        for (const char* call :
             {"NULL, '{}'",
              "'', '{}'",
              "'A.B', '{}'",
              "'a b', '{}'",
              "repeat('x', 65), '{}'",
              "'a.b', '{}', priority => 40000",
              "'a.b', '{}', priority => -40000",
              "'a.b', '{}', max_attempts => 0",
              "'a.b', '{}', max_attempts => 1001",
              "'a.b', '{}', delay => '-1 second'",
              "'a.b', '{}', delay => '11 years'",
              "'a.b', '{}', run_at => 'infinity'",
              "'a.b', '{}', run_at => '-infinity'",
              "'a.b', '{}', run_at => '20000-01-01'",
              "'a.b', '{}', run_at => now(), delay => '1 second'",
              "'a.b', '{}', meta => '[]'",
              "'a.b', '{}', meta => '1'",
              "'a.b', '{}', meta => jsonb_build_object('x', repeat('x', 70000))",
              "'a.b', '{}', tags => array_fill('x'::text, ARRAY[20000])",
              "'a.b', '{}', traceparent => repeat('x', 70000)",
              "'a.b', '{}', idempotency_key => ''",
              "'a.b', '{}', idempotency_key => repeat('x', 513)",
              "'a.b', '{}', idempotency_key => 'z', idempotency_ttl => '0'",
              "'a.b', '{}', idempotency_key => 'z', idempotency_ttl => '-1 day'",
              "'a.b', '{}', idempotency_key => 'z', idempotency_ttl => '11 years'"}) {
            CHECK_MESSAGE(refusal(db, std::string{"SELECT queue.enqueue("} + call + ")") == "LQ001",
                          call);
        }
        CHECK(refusal(db, "SELECT queue.create_queue('no spaces')") == "LQ001");
        CHECK(refusal(db, "SELECT queue.create_queue(NULL)") == "LQ001");
        CHECK(refusal(db, "SELECT queue.create_queue(repeat('x', 65536))") == "LQ001");
        CHECK(refusal(db,
                      "SELECT queue.enqueue_many('a.b', ARRAY['1']::jsonb[], "
                      "max_attempts => 0)") == "LQ001");
    }

    TEST_CASE("errors: unknown queues, payloads, keys, jobs and leases have theirs") {
        const test::test_database db;
        db.execute(
            "UPDATE queue.queue SET max_payload_bytes = 100;"
            "SELECT queue.enqueue('a.b', '1', idempotency_key => 'k')");

        // LQ002: unknown queue.
        CHECK(refusal(db, "SELECT queue.enqueue('a.b', '{}', 'nowhere')") == "LQ002");
        CHECK(refusal(db, "SELECT queue.enqueue('a.b', '{}', '\"; DROP TABLE queue.job; --')") ==
              "LQ002");
        CHECK(refusal(db, "SELECT queue.pause('nowhere')") == "LQ002");
        CHECK(refusal(db, "SELECT queue.resume('nowhere')") == "LQ002");
        CHECK(refusal(db, "SELECT queue.pause(NULL)") == "LQ002");
        // LQ003: payload over the queue's limit.
        CHECK(refusal(db, "SELECT queue.enqueue('a.b', to_jsonb(repeat('x', 200)))") == "LQ003");
        CHECK(refusal(db,
                      "SELECT queue.enqueue_many('a.b', ARRAY['1', to_jsonb(repeat('x', 200))]"
                      ")") == "LQ003");
        // LQ004: the key was used for something else.
        CHECK(refusal(db, "SELECT queue.enqueue('a.b', '2', idempotency_key => 'k')") == "LQ004");
        CHECK(refusal(db, "SELECT queue.enqueue('a.c', '1', idempotency_key => 'k')") == "LQ004");
        // LQ005: no such job.
        for (const char* call : {"cancel(99)", "retry(99)", "explain(99)", "cancel(NULL)",
                                 "retry(-1)", "explain(NULL)"}) {
            CHECK_MESSAGE(refusal(db, std::string{"SELECT queue."} + call) == "LQ005", call);
        }
        // LQ007: no such lease.
        CHECK(refusal(db, "SELECT queue.assert_lease(1, 1)") == "LQ007");
        CHECK(refusal(db, "SELECT queue.assert_lease(NULL, NULL)") == "LQ007");
        // LQ008: no payload.
        CHECK(refusal(db, "SELECT queue.enqueue('a.b', NULL)") == "LQ008");
        CHECK(refusal(db, "SELECT queue.enqueue_many('a.b', NULL)") == "LQ008");
        CHECK(refusal(db, "SELECT queue.enqueue_many('a.b', ARRAY['1', NULL]::jsonb[])") ==
              "LQ008");
        CHECK(db.query("SELECT count(*) FROM queue.job") == "1");
    }

    TEST_CASE("errors: LQ006 when the job's state does not allow it") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        db.execute("SELECT queue.enqueue_many('a.b', array_fill('{}'::jsonb, ARRAY[4]))");
        worker.complete(1);
        worker.claim(2);
        worker.kill(3, "x");
        db.execute("SELECT queue.cancel(4)");

        CHECK(refusal(db, "SELECT queue.cancel(1)") == "LQ006");
        CHECK(refusal(db, "SELECT queue.cancel(3)") == "LQ006");
        CHECK(refusal(db, "SELECT queue.cancel(4)") == "LQ006");
        CHECK(refusal(db, "SELECT queue.retry(1)") == "LQ006");
        CHECK(refusal(db, "SELECT queue.retry(2)") == "LQ006");
        db.execute("SELECT queue.discard('{3}')");
        CHECK(refusal(db, "SELECT queue.retry(3)") == "LQ006");
    }

    TEST_CASE("doorbell: an enqueue notifies only while somebody sleeps beside the queue") {
        const test::test_database db;
        test::connection listener{db.dsn()};
        db.execute("SELECT queue.enqueue('a.b', '{}')");
        listener.execute("LISTEN \"queue.wake\"");

        db.execute("SELECT queue.enqueue('a.b', '{}')");
        CHECK(notified(listener).empty());
        db.execute(
            "SELECT setval(doorbell, (extract(epoch FROM now()) * 1000)::bigint + 60000) "
            "FROM queue.queue");
        db.execute("SELECT queue.enqueue('a.b', '{}', delay => '1 hour')");
        CHECK(notified(listener).empty());
        db.execute("SELECT queue.enqueue('a.b', '{}')");
        CHECK(notified(listener) == "queue.wake:1 ");
        db.execute("SELECT queue.enqueue_many('a.b', ARRAY['1']::jsonb[])");
        CHECK(notified(listener) == "queue.wake:1 ");
        db.execute("SELECT setval(doorbell, 0) FROM queue.queue");
        db.execute("SELECT queue.enqueue('a.b', '{}')");
        CHECK(notified(listener).empty());
    }

    TEST_CASE("pause and resume: kept with who and why; the first pause's time stands") {
        const test::test_database db;

        db.execute("SELECT queue.pause('default', 'one')");
        const std::string since = db.query("SELECT paused_at FROM queue.queue_stats");
        db.execute("SELECT queue.pause('default', 'two')");

        CHECK(db.query("SELECT paused_at FROM queue.queue_stats") == since);
        CHECK(db.query("SELECT pause_reason FROM queue.queue_stats") == "two");
        CHECK(db.query("SELECT paused_by = session_user FROM queue.queue_stats") == "t");
        db.execute("SELECT queue.resume('default')");
        CHECK(db.query("SELECT paused FROM queue.queue_stats") == "f");
    }

    TEST_CASE("views: columns are promises") {
        const test::test_database db;
        const auto columns = [&](const char* view) {
            return db.query(
                "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = $1::regclass AND attnum > 0",
                {view});
        };

        CHECK(columns("queue.jobs") ==
              "id tenant_id queue kind state priority attempt max_attempts payload output run_at "
              "created_at finished_at last_error meta batch_id");
        CHECK(columns("queue.dead_letters") ==
              "id tenant_id queue kind priority attempt max_attempts reason error fingerprint "
              "payload meta attempts created_at died_at");
        CHECK(columns("queue.queue_stats") ==
              "queue ready scheduled retrying running dead oldest_ready_at paused pause_reason "
              "paused_by paused_at");
    }

    TEST_CASE("jobs: a second attempt shows the attempt it is in and the last error") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        db.execute("SELECT queue.enqueue('a.b', '{}')");
        const auto row = [&] {
            return db.rows("SELECT state, attempt, last_error FROM queue.jobs").at(0);
        };

        CHECK(row() == test::row{"ready", "0", std::nullopt});
        worker.fail(1, "first", 0);
        CHECK(row() == test::row{"ready", "1", "first"});
        worker.claim(1);
        CHECK(row() == test::row{"running", "2", "first"});
    }

    TEST_CASE("revive: a job whose effect may have happened is looked at before it runs again") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        db.execute("SELECT queue.enqueue_many('a.b', array_fill('{}'::jsonb, ARRAY[2]))");
        worker.kill(1, "no answer", "unknown");
        worker.kill(2, "refused", "failed");

        db.execute("SELECT queue.retry(1); SELECT queue.replay('{2}')");

        CHECK(db.query("SELECT reconcile FROM queue.ready WHERE id = 1") == "t");
        CHECK(db.rows("SELECT reconcile FROM queue.ready WHERE id = 2").at(0).at(0) ==
              std::nullopt);
    }

    TEST_CASE("lines: two transactions that first use one at the same time do not wait") {
        const test::test_database db;
        test::connection first{db.dsn()};
        test::connection second{db.dsn()};
        second.execute("SET lock_timeout = '50ms'; SET statement_timeout = '5s'");
        first.execute("BEGIN; SELECT queue.enqueue('new.kind', '1')");

        second.execute("SELECT queue.enqueue('new.kind', '2')");
        first.execute("COMMIT");

        CHECK(db.query("SELECT count(*) FROM queue.jobs WHERE kind = 'new.kind'") == "2");
    }

    TEST_CASE("security: search_path and shadowing objects of the caller change nothing") {
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute(
            "CREATE SCHEMA evil; SET search_path = evil, pg_catalog;"
            "CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS "
            "$$ SELECT '2000-01-01'::timestamptz $$;"
            "CREATE FUNCTION evil.nextval(text) RETURNS bigint LANGUAGE sql AS $$ SELECT -1 $$");

        CHECK(on.query("SELECT queue.enqueue('a.b', '{}')") == "1");
        CHECK(on.query("SELECT queue.enqueue('a.b', '{}', idempotency_key => 'k', "
                       "tags => '{x}')") == "2");
        CHECK(on.query("SELECT queue.cancel(1)") == "t");
        on.execute("SELECT queue.retry(1)");
        CHECK(on.query("SELECT reason FROM queue.explain(1)") == "no live worker");
        CHECK(on.query("SELECT created_at > '2020-01-01' FROM queue.jobs WHERE id = 1") == "t");
    }

    TEST_CASE("another schema name: everything works in it") {
        const test::test_database db{test::test_database::content::empty};
        libqueue::migrate_options migration;
        migration.dsn = db.dsn();
        migration.schema = "jobs";
        static_cast<void>(libqueue::migrate(migration).value());
        libqueue::client_options options{db.dsn()};
        options.schema = "jobs";
        libqueue::client on{options};
        libqueue::operations ops{on};
        REQUIRE(ops.create_queue("money").has_value());

        const auto id = on.enqueue(libqueue::new_job{"a.b", "{}"}.unique_key("k"))->id;
        std::vector<libqueue::new_job> batch(200, libqueue::new_job{"a.b", "{}"});
        for (auto& job : batch) {
            job.in_queue("money");
        }
        CHECK(on.enqueue_many(batch)->size() == 200);
        CHECK(on.get(id)->state == libqueue::job_state::ready);
        CHECK(on.cancel(id).value());
        CHECK(on.retry(id).has_value());
        libqueue::job_filter waiting;
        waiting.states = {libqueue::job_state::ready, libqueue::job_state::running,
                          libqueue::job_state::dead};
        waiting.queue = "money";
        waiting.limit = 7;
        CHECK(ops.list_jobs(waiting).rows.size() == 7);
        CHECK(ops.list_jobs({}).rows.size() == 50);
        CHECK(ops.attempts(id).rows.size() == 2);
        CHECK(ops.explain(id)->rows.size() == 1);
        CHECK(ops.list_dead_letters({}).rows.empty());
        CHECK(ops.dead_letter_groups({}).rows.empty());
        CHECK(ops.replay({}, {}).value() == 0);
        CHECK(ops.discard({}, false) == 0);
        CHECK(ops.prune_dead_letters(std::chrono::hours{1}) == 0);
        CHECK(ops.list_queues().rows.size() == 2);
        CHECK(ops.show_queue("money").has_value());
        CHECK(ops.pause("money", "x").has_value());
        CHECK(ops.resume("money").has_value());
        CHECK(ops.outstanding("money").value() == 200);
        CHECK(ops.purge("money", false).value() == 200);
        CHECK(ops.list_workers().rows.empty());
        CHECK(ops.unhandled_kinds().rows.size() == 1);
        CHECK_FALSE(ops.stats().rows.empty());
        CHECK(db.query("SELECT to_regnamespace('queue') IS NULL") == "t");
    }
}

}  // namespace
