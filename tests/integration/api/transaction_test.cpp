#include "stand_in_worker.hpp"
#include "support/test_database.hpp"

#include <libqueue/transaction.hpp>

#include <doctest/doctest.h>
#include <libpq-fe.h>

using libqueue::errc;
using libqueue::new_job;

namespace {

std::string jobs_in(const test::test_database& db) {
    return db.query("SELECT count(*) FROM queue.job");
}

TEST_SUITE("transaction") {
    TEST_CASE("enqueue: the job exists exactly when the caller's transaction commits") {
        const test::test_database db;
        db.execute("CREATE TABLE orders (id int)");
        test::connection on{db.dsn()};

        on.execute("BEGIN; INSERT INTO orders VALUES (1)");
        REQUIRE(libqueue::enqueue(on.get(), new_job{"a.b", "{}"}).has_value());
        CHECK(jobs_in(db) == "0");
        on.execute("ROLLBACK");
        CHECK(jobs_in(db) == "0");

        on.execute("BEGIN; INSERT INTO orders VALUES (2)");
        const auto kept = libqueue::enqueue(on.get(), new_job{"a.b", "{}"});
        on.execute("COMMIT");

        REQUIRE(kept.has_value());
        CHECK(db.query("SELECT id FROM queue.job") == std::to_string(kept->id));
        CHECK(db.query("SELECT id FROM orders") == "2");
    }

    TEST_CASE("enqueue: what is checked before sending leaves the transaction usable") {
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute("BEGIN");

        const auto refused = libqueue::enqueue(on.get(), new_job{"a.b", "{"});

        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::invalid_payload);
        CHECK(libqueue::enqueue(on.get(), new_job{"a.b", "{}"}).has_value());
        on.execute("COMMIT");
        CHECK(jobs_in(db) == "1");
    }

    TEST_CASE("enqueue: a domain error aborts the transaction up to the caller's savepoint") {
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute("BEGIN");
        REQUIRE(libqueue::enqueue(on.get(), new_job{"a.b", "1"}.unique_key("k")).has_value());
        on.execute("SAVEPOINT before");

        const auto refused = libqueue::enqueue(on.get(), new_job{"a.b", "2"}.unique_key("k"));

        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::idempotency_conflict);
        CHECK_THROWS_AS(static_cast<void>(libqueue::enqueue(on.get(), new_job{"a.b", "3"})),
                        libqueue::failure);
        on.execute("ROLLBACK TO SAVEPOINT before");
        CHECK(libqueue::enqueue(on.get(), new_job{"a.b", "3"}).has_value());
        on.execute("COMMIT");
        CHECK(jobs_in(db) == "2");
    }

    TEST_CASE("enqueue: never begins or commits anything itself") {
        const test::test_database db;
        test::connection on{db.dsn()};

        REQUIRE(libqueue::enqueue(on.get(), new_job{"a.b", "{}"}).has_value());

        CHECK(PQtransactionStatus(on.get()) == PQTRANS_IDLE);
        CHECK(jobs_in(db) == "1");
        on.execute("BEGIN");
        REQUIRE(libqueue::enqueue(on.get(), new_job{"a.b", "{}"}).has_value());
        CHECK(PQtransactionStatus(on.get()) == PQTRANS_INTRANS);
    }

    TEST_CASE("enqueue: a null, busy, pipelined or lost connection is told apart") {
        const test::test_database db;
        const new_job job{"a.b", "{}"};
        CHECK(libqueue::enqueue(nullptr, job).error().code == errc::invalid_argument);

        test::connection pipelined{db.dsn()};
        REQUIRE(PQenterPipelineMode(pipelined.get()) == 1);
        const auto refused = libqueue::enqueue(pipelined.get(), job);
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::invalid_argument);
        CHECK(refused.error().message.find("pipeline") != std::string::npos);
        CHECK(libqueue::enqueue_many(pipelined.get(), {&job, 1}).error().code ==
              errc::invalid_argument);

        test::connection busy{db.dsn()};
        REQUIRE(PQsendQuery(busy.get(), "SELECT 1") == 1);
        CHECK(libqueue::enqueue(busy.get(), job).error().code == errc::invalid_argument);

        test::connection lost{db.dsn()};
        db.execute("SELECT pg_terminate_backend($1::int, 5000)",
                   {std::to_string(PQbackendPID(lost.get()))});
        try {
            static_cast<void>(libqueue::enqueue(lost.get(), job));
            FAIL("expected a failure");
        } catch (const libqueue::failure& what) {
            CHECK(what.poisons_connection());
            CHECK_FALSE(what.outcome_unknown());
        }
        CHECK(jobs_in(db) == "0");
    }

    TEST_CASE("enqueue_many: in the caller's transaction, ids in the order of the batch") {
        const test::test_database db;
        test::connection on{db.dsn()};
        std::vector<new_job> jobs;
        for (int i = 0; i < 300; ++i) {
            jobs.emplace_back(i % 2 == 0 ? "a.b" : "c.d", std::to_string(i));
        }
        on.execute("BEGIN");

        const auto ids = libqueue::enqueue_many(on.get(), jobs);

        REQUIRE(ids.has_value());
        CHECK(jobs_in(db) == "0");
        on.execute("COMMIT");
        CHECK(jobs_in(db) == "300");
        CHECK(db.query("SELECT payload FROM queue.job WHERE id = $1",
                       {std::to_string((*ids)[299])}) == "299");
    }

    TEST_CASE("enqueue_many: outside a transaction only what one statement can carry") {
        const test::test_database db;
        test::connection on{db.dsn()};
        std::vector<new_job> jobs(3, new_job{"a.b", "{}"});

        CHECK(libqueue::enqueue_many(on.get(), jobs).has_value());
        jobs.emplace_back("c.d", "{}");
        const auto refused = libqueue::enqueue_many(on.get(), jobs);

        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::invalid_argument);
        CHECK(jobs_in(db) == "3");
    }

    TEST_CASE("enqueue_statement: any driver can run it") {
        const test::test_database db;
        test::connection on{db.dsn()};
        new_job job{"a.b", R"({"n": 1})"};
        job.unique_key("k").run_in(std::chrono::minutes{5}).tag("t");
        const libqueue::statement text = libqueue::enqueue_statement(job);

        const auto first = on.rows(text.sql, text.parameters);
        const auto again = on.rows(text.sql, text.parameters);
        const libqueue::statement plain = libqueue::enqueue_statement(new_job{"a.b", "{}"});
        const auto third = on.rows(plain.sql, plain.parameters);

        REQUIRE(first.size() == 1);
        REQUIRE(first[0].size() == 3);
        CHECK(first[0][1] == "f");
        CHECK(again[0][0] == first[0][0]);
        CHECK(again[0][1] == "t");
        CHECK(third[0][0] != first[0][0]);
        CHECK(jobs_in(db) == "2");
        CHECK_THROWS_AS(static_cast<void>(libqueue::enqueue_statement(job, "Bad Schema")),
                        libqueue::domain_failure);
        CHECK(libqueue::enqueue_statement(job, "other").sql.find("other.enqueue_once(") !=
              std::string::npos);
    }

    TEST_CASE("assert_lease: holds until commit, and a zombie's transaction cannot commit") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        test::connection on{db.dsn()};
        libqueue::job running;
        running.id = libqueue::enqueue(on.get(), new_job{"a.b", "{}"})->id;
        running.lease = std::stoll(worker.claim(running.id));
        const std::string lease = std::to_string(running.lease);

        CHECK(libqueue::assert_lease(on.get(), running).error().code == errc::invalid_argument);
        on.execute("BEGIN");
        CHECK(libqueue::assert_lease(on.get(), running).has_value());
        test::connection rescuer{db.dsn()};
        rescuer.execute("SET lock_timeout = '50ms'");
        CHECK_THROWS_AS(rescuer.execute("DELETE FROM queue.lease WHERE id = $1::bigint", {lease}),
                        test::sql_error);
        on.execute("COMMIT");

        rescuer.execute("DELETE FROM queue.lease WHERE id = $1::bigint", {lease});
        on.execute("BEGIN");
        CHECK(libqueue::assert_lease(on.get(), running).error().code == errc::lease_lost);
        CHECK_THROWS_AS(on.execute("SELECT 1"), test::sql_error);
        on.execute("ROLLBACK");
    }

    TEST_CASE("assert_lease: a job that has finished under the lease is no longer held") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        test::connection on{db.dsn()};
        libqueue::job running;
        running.id = libqueue::enqueue(on.get(), new_job{"a.b", "{}"})->id;
        running.lease = std::stoll(worker.claim(running.id));
        db.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, "
            "attempt) VALUES ($1::bigint, $2::bigint, now(), now(), 'completed', 1)",
            {std::to_string(running.id), std::to_string(running.lease)});

        on.execute("BEGIN");
        CHECK(libqueue::assert_lease(on.get(), running).error().code == errc::lease_lost);
    }
}

}  // namespace
