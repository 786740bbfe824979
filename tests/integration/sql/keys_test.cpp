#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <string>

// Ordering and concurrency keys as the functions of the database decide them.

namespace {

std::string enqueue(const test::test_database& db, const std::string& options) {
    return db.query("SELECT queue.enqueue('a.b', '{}'" + options + ")");
}

/// One look of a worker: how many jobs it put in line.
std::string admit(const test::test_database& db) {
    return db.query("SELECT admitted FROM queue.admit_keys(1)");
}

/// The jobs that stand in the ordinary line.
std::string line(const test::test_database& db) {
    return db.query("SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM queue.ready");
}

/// Records the end of a job's run as a turn does.
void finish(const test::test_database& db, const std::string& id, const std::string& outcome,
            const std::string& delay) {
    db.execute(
        "WITH gone AS (DELETE FROM queue.ready WHERE id = " + id +
        " RETURNING line_id), ended AS (INSERT INTO queue.attempt (job_id, lease_id, started_at, "
        "finished_at, next_run_at, outcome, attempt) SELECT " +
        id + ", nextval('queue.lease_id_seq'), now(), now(), now() + " + delay + ", '" + outcome +
        "', 1 FROM gone RETURNING next_run_at) "
        "INSERT INTO queue.ready (id, run_at, line_id, attempt) SELECT " +
        id + ", next_run_at, line_id, 1 FROM ended, gone WHERE next_run_at IS NOT NULL");
    db.execute(
        "SELECT queue.settle_these(ARRAY[job_id], ARRAY[lease_id]) FROM queue.attempt "
        "WHERE job_id = " +
        id + " ORDER BY lease_id DESC LIMIT 1");
}

const std::string final_word{"NULL::interval"};

}  // namespace

TEST_SUITE("keys") {
    TEST_CASE("jobs of an ordering key are put in line one after the other") {
        const test::test_database db;
        for (int n = 1; n <= 3; ++n) {
            enqueue(db, ", ordering_key => 'k'");
        }
        enqueue(db, ", ordering_key => 'other'");
        CHECK(admit(db) == "2");
        CHECK(line(db) == "1 4");
        CHECK(admit(db) == "0");

        finish(db, "1", "completed", final_word);
        CHECK(admit(db) == "1");
        CHECK(line(db) == "2 4");
        CHECK(db.query("SELECT detail FROM queue.explain(3)") ==
              "ordering key 'k' is held by job 2 (ready), 1 at a time; 0 jobs ahead");
    }

    TEST_CASE("a job that is retried keeps its ordering key and gives up its concurrency key") {
        const test::test_database db;
        enqueue(db, ", ordering_key => 'o'");
        enqueue(db, ", ordering_key => 'o'");
        enqueue(db, ", concurrency_key => 'c'");
        enqueue(db, ", concurrency_key => 'c'");
        CHECK(admit(db) == "2");
        CHECK(line(db) == "1 3");

        finish(db, "1", "failed", "interval '1 hour'");
        finish(db, "3", "failed", "interval '1 hour'");
        CHECK(admit(db) == "1");
        CHECK(line(db) == "1 4");
        CHECK(db.query("SELECT state FROM queue.jobs WHERE id = 3") == "retrying");
        CHECK(db.query("SELECT state FROM queue.jobs WHERE id = 1") == "retrying");
    }

    TEST_CASE("a lost job keeps its keys") {
        const test::test_database db;
        enqueue(db, ", concurrency_key => 'c'");
        enqueue(db, ", concurrency_key => 'c'");
        CHECK(admit(db) == "1");
        finish(db, "1", "lost", "interval '0'");
        CHECK(admit(db) == "0");
        CHECK(line(db) == "1");
    }

    TEST_CASE("a concurrency key lets in as many as the job says") {
        const test::test_database db;
        for (int n = 1; n <= 5; ++n) {
            enqueue(db, ", concurrency_key => 'c', key_concurrency => 3");
        }
        CHECK(admit(db) == "3");
        CHECK(line(db) == "1 2 3");
        finish(db, "2", "discarded", final_word);
        CHECK(admit(db) == "1");
        CHECK(line(db) == "1 3 4");
    }

    TEST_CASE("tenants and queues do not share keys") {
        const test::test_database db;
        db.execute("SELECT queue.create_queue('second')");
        enqueue(db, ", ordering_key => 'k'");
        enqueue(db, ", ordering_key => 'k', tenant_id => '11111111-2222-3333-4444-555555555555'");
        enqueue(db, ", ordering_key => 'k', queue => 'second'");
        CHECK(admit(db) == "2");
        CHECK(db.query("SELECT admitted FROM queue.admit_keys(2)") == "1");
    }

    TEST_CASE("jobs with both keys wait for the one and then for the other") {
        const test::test_database db;
        enqueue(db, ", concurrency_key => 'c'");
        enqueue(db, ", ordering_key => 'o', concurrency_key => 'c'");
        enqueue(db, ", ordering_key => 'o'");
        CHECK(admit(db) == "1");
        CHECK(line(db) == "1");
        finish(db, "1", "completed", final_word);
        CHECK(admit(db) == "1");
        CHECK(line(db) == "2");
        finish(db, "2", "completed", final_word);
        CHECK(admit(db) == "1");
        CHECK(line(db) == "3");
        finish(db, "3", "completed", final_word);
        CHECK(db.query("SELECT count(*) FROM queue.key_hold") == "0");
    }

    TEST_CASE("a delayed job does not hold others up and is admitted when it is due") {
        const test::test_database db;
        enqueue(db, ", ordering_key => 'k', delay => '1 hour'");
        enqueue(db, ", ordering_key => 'k'");
        CHECK(admit(db) == "1");
        CHECK(line(db) == "2");
        CHECK(db.query("SELECT state FROM queue.jobs WHERE id = 1") == "scheduled");
        CHECK(db.query("SELECT wait_us BETWEEN 3500000000 AND 3600000000 "
                       "FROM queue.admit_keys(1)") == "t");
    }

    TEST_CASE("cancelling a waiting job takes it out of the line of its key, a holder frees it") {
        const test::test_database db;
        for (int n = 1; n <= 3; ++n) {
            enqueue(db, ", ordering_key => 'k'");
        }
        CHECK(admit(db) == "1");
        CHECK(db.query("SELECT queue.cancel(2)") == "t");
        CHECK(db.query("SELECT queue.cancel(1)") == "t");
        CHECK(admit(db) == "1");
        CHECK(line(db) == "3");
        // Revived, it stands behind who holds the key now.
        db.execute("SELECT queue.retry(1)");
        CHECK(admit(db) == "0");
        CHECK(db.query("SELECT state FROM queue.jobs WHERE id = 1") == "ready");
    }

    TEST_CASE("nobody waits for a job that a transaction is about to cancel") {
        const test::test_database db;
        enqueue(db, ", ordering_key => 'k'");
        enqueue(db, ", ordering_key => 'k'");
        test::connection other{db.dsn()};
        other.execute("BEGIN");
        other.execute("SELECT queue.cancel(1)");
        CHECK(admit(db) == "0");
        CHECK(line(db).empty());  // not out of order either
        other.execute("ROLLBACK");
        CHECK(test::wait_until([&] { return admit(db) == "1"; }));
        CHECK(line(db) == "1");
    }

    TEST_CASE("one look at a time for a queue; who finds another at it is told so") {
        const test::test_database db;
        enqueue(db, ", ordering_key => 'k'");
        test::connection other{db.dsn()};
        other.execute("BEGIN");
        other.execute("SELECT queue.admit_keys(1)");
        CHECK(db.query("SELECT admitted IS NULL AND wait_us > 0 FROM queue.admit_keys(1)") == "t");
        other.execute("ROLLBACK");
        CHECK(admit(db) == "1");
    }

    TEST_CASE("a purge takes those that wait for a key as well") {
        const test::test_database db;
        for (int n = 1; n <= 3; ++n) {
            enqueue(db, ", ordering_key => 'k'");
        }
        CHECK(admit(db) == "1");
        CHECK(db.query("SELECT count(*) FROM queue.purge('default', 10, 100)") == "3");
        CHECK(db.query("SELECT count(*) FROM queue.jobs WHERE state = 'cancelled'") == "3");
        CHECK(db.query("SELECT count(*) FROM queue.key_hold") == "0");
    }

    TEST_CASE("keys that ended jobs still hold are freed by the sweep") {
        const test::test_database db;
        enqueue(db, ", ordering_key => 'k'");
        enqueue(db, ", ordering_key => 'k'");
        CHECK(admit(db) == "1");
        // As a worker leaves it that does not know of keys.
        db.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, "
            "attempt) VALUES (1, nextval('queue.lease_id_seq'), now(), now(), 'completed', "
            "1)");
        CHECK(admit(db) == "0");
        CHECK(db.query("SELECT queue.free_ended_keys(10)") == "1");
        CHECK(admit(db) == "1");
    }

    TEST_CASE("bad keys are refused by the name of their argument") {
        const test::test_database db;
        const auto refusal = [&](const std::string& options) -> std::string {
            try {
                enqueue(db, options);
            } catch (const test::sql_error& what) {
                return what.sqlstate() + " " + what.what();
            }
            return "accepted";
        };
        const auto refused = [&](const std::string& options, const std::string& text) {
            const std::string said = refusal(options);
            CAPTURE(said);
            CHECK(said.starts_with("LQ001"));
            CHECK(said.find(text) != std::string::npos);
        };
        refused(", ordering_key => ''", "ordering_key: expected 1 to 512 bytes, got 0");
        refused(", concurrency_key => repeat('x', 513)",
                "concurrency_key: expected 1 to 512 bytes, got 513");
        refused(", ordering_key => 'k', concurrency_key => 'k'",
                "concurrency_key: expected another key than ordering_key, got 'k' twice");
        refused(", concurrency_key => 'k', key_concurrency => 0",
                "key_concurrency: expected 1 to 10000, got 0");
        refused(", key_concurrency => 2", "expected a concurrency_key beside it, got 2 alone");
        refused(", cost => -1", "cost: expected 1 to 1000000 tokens, got -1");
        refused(", limit_key => repeat('x', 201)", "limit_key: expected 1 to 200 bytes, got 201");
        refused(", meta => '{\"ordering_key\": \"x\"}'", "meta: ordering_key is reserved");
        refused(", id => 7", "id: expected a new value of queue.job_id_seq, got 7");
        CHECK(db.query("SELECT count(*) FROM queue.job") == "0");
    }
}
