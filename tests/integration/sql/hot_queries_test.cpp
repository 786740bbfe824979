#include "support/test_database.hpp"

#include <sql/queries.hpp>

#include <doctest/doctest.h>

#include <algorithm>

// The statements of every turn reach their rows by an index, never by reading a table, with the
// generic plan that a prepared statement ends up with as well as with a plan made for its values.

namespace {

/// A statement, arguments of a typical call, and the indexes its header promises.
class expectation {
   public:
    const char* query;
    const char* arguments;
    std::vector<const char*> indexes;
};

std::vector<expectation> expectations() {
    return {
        {"claim",
         "1, 1, '{1,2}', '{2020-01-01,2020-01-01}', '{0,0}', '{500,500}', 500, NULL",
         {"ready_pkey", "job_pkey"}},
        {"claim_strays", "1, 1, '{1}', '{2020-01-01}', '{1}'", {"ready_pkey", "job_pkey"}},
        {"find_strays", "'{1,2}', '{2020-01-01,2020-01-01}', '{0,0}', 100", {"ready_pkey"}},
        {"next_due", "'{1,2}', '{2020-01-01,2020-01-01}', '{0,0}'", {"ready_pkey"}},
        {"finish_completed", "1, '{1}', '{1}', '{1}', '{1}', '{1}', '{1}'", {"lease_pkey"}},
        {"finish_other",
         "1, '{1}', '{1}', '{1}', '{1}', '{1}', '{failed}', '{x}', '{1}', '{1}', '{f}'",
         {"lease_pkey", "job_pkey", "cancel_request_pkey"}},
        {"return_unstarted",
         "1, '{1}', '{1}', '{1}', '{2020-01-01}', '{0}', '{f}'",
         {"lease_pkey"}},
        {"heartbeat", "1, 1, 'running', '{}', 1, 1", {"schedule_next_at_idx", "batch_tally_pkey"}},
        {"find_job", "1", {"job_pkey", "attempt_pkey", "ready_pkey"}},
        {"list_attempts", "1", {"attempt_pkey"}},
        {"next_dead_letters",
         "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 10, 5000, 500",
         {"dead_letter_pkey"}},
    };
}

std::string_view text_of(std::string_view name) {
    const auto found =
        std::find_if(libqueue::sql::all_queries.begin(), libqueue::sql::all_queries.end(),
                     [&](const libqueue::sql::query& one) { return one.name == name; });
    REQUIRE_MESSAGE(found != libqueue::sql::all_queries.end(), name);
    return found->text;
}

/// Tables as they look in the middle of a busy day.
void fill(test::connection& on) {
    on.execute(
        "SELECT queue.enqueue_many('a.b', array_fill('{}'::jsonb, ARRAY[20000]));"
        "SELECT queue.enqueue_many('c.d', array_fill('{}'::jsonb, ARRAY[20000]));"
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt) "
        "SELECT id, nextval('queue.lease_id_seq'), now(), now(), 'completed', 1 FROM queue.job "
        "WHERE id % 2 = 0;"
        "DELETE FROM queue.ready WHERE id % 2 = 0;"
        "INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts) "
        "SELECT nextval('queue.lease_id_seq'), n % 7, now(), ARRAY[n], ARRAY[0::smallint] "
        "FROM generate_series(1, 2000) n;"
        "INSERT INTO queue.cancel_request SELECT n, now() FROM generate_series(1, 2000) n;"
        "INSERT INTO queue.dead_letter SELECT n, now(), now(), NULL, 'default', 'a.b', 5, 4, 4, "
        "'x', 'y', 'f', '{}', NULL, '[]' FROM generate_series(1, 5000) n;"
        "INSERT INTO queue.batch_tally (batch_id, total) SELECT n, 1 FROM generate_series(1, 5000) "
        "n;"
        "SELECT count(queue.schedule('s' || n, '@hourly', 'a.b')) FROM generate_series(1, 2000) "
        "n;");
    on.execute("ANALYZE");
}

std::string plan_of(test::connection& on, const expectation& one) {
    std::string plan;
    on.execute("PREPARE examined AS " + std::string{text_of(one.query)});
    for (const test::row& line :
         on.rows("EXPLAIN (COSTS OFF) EXECUTE examined(" + std::string{one.arguments} + ")")) {
        plan += line.at(0).value_or("") + "\n";
    }
    on.execute("DEALLOCATE examined");
    return plan;
}

TEST_SUITE("hot queries") {
    TEST_CASE("each reaches its rows by the indexes its header names") {
        const test::test_database db;
        test::connection on{db.dsn()};
        fill(on);
        for (const char* mode : {"force_generic_plan", "force_custom_plan"}) {
            on.execute(std::string{"SET plan_cache_mode = "} + mode);
            for (const expectation& one : expectations()) {
                const std::string plan = plan_of(on, one);
                CAPTURE(mode);
                CAPTURE(one.query);
                CAPTURE(plan);
                for (const char* index : one.indexes) {
                    CHECK_MESSAGE(plan.find(index) != std::string::npos, index);
                }
                for (const char* table :
                     {"job", "ready", "attempt", "lease", "dead_letter", "schedule"}) {
                    CHECK_MESSAGE(
                        plan.find(std::string{"Seq Scan on "} + table + " ") == std::string::npos,
                        table);
                }
            }
        }
    }

    // Found while writing this: a plan made on tables vacuumed while empty read every job and every
    // attempt in each turn, for as long as the connection kept it.
    TEST_CASE("a plan made while the tables were empty still reaches jobs one by one") {
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute("VACUUM ANALYZE");
        // As the worker's connections have it.
        on.execute(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
            "SET enable_bitmapscan = off");
        std::vector<expectation> hot = expectations();
        hot.push_back({"bury", "'{1}', '{1}', '{x}'", {"job_pkey", "attempt_pkey"}});
        hot.push_back({"list_owed", "'{1}'", {"lease_pkey", "job_pkey", "attempt_pkey"}});
        for (const expectation& one : hot) {
            const std::string plan = plan_of(on, one);
            CAPTURE(one.query);
            CAPTURE(plan);
            // A worker's leases include all that an old snapshot keeps.
            CHECK(plan.find("lease_worker_idx") == std::string::npos);
            for (const char* index : {"using job_pkey", "using attempt_pkey", "using ready_pkey"}) {
                for (std::size_t at = plan.find(index); at != std::string::npos;
                     at = plan.find(index, at + 1)) {
                    const std::size_t next = plan.find('\n', at) + 1;
                    const std::string condition = plan.substr(next, plan.find('\n', next) - next);
                    CHECK_MESSAGE(condition.find("Index Cond") != std::string::npos, index);
                }
            }
        }
    }

    TEST_CASE("every statement is accepted by the server as it stands") {
        const test::test_database db;
        test::connection on{db.dsn()};
        for (const libqueue::sql::query& one : libqueue::sql::all_queries) {
            const bool utility = one.text.find("\nCREATE TABLE") != std::string_view::npos ||
                                 one.text.find("\nDO $$") != std::string_view::npos;
            CAPTURE(one.name);
            if (one.name == "inject_failure") {  // what it is for
                CHECK_THROWS_AS(on.execute(std::string{one.text}), test::sql_error);
            } else if (utility) {
                CHECK_NOTHROW(on.execute(std::string{one.text}));
            } else {
                CHECK_NOTHROW(on.execute("PREPARE examined AS " + std::string{one.text}));
                on.execute("DEALLOCATE ALL");
            }
        }
    }
}

}  // namespace
