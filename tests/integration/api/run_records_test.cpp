#include "stand_in_worker.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/run_records.hpp>
#include <sql/prune_side_tables.hpp>
#include <sql/testing_move_time.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <utility>

using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::run_records;

// What handlers in C++ do with these is tested with the engine; here, the SQL and the onlooker.

namespace {

class bench {
   public:
    /// A running job and its lease.
    std::pair<std::string, std::string> start(const std::string& more = {}) {
        const std::string id = db.query("SELECT queue.enqueue('a.b', '{}'" + more + ")");
        std::string lease = worker.claim(std::stoll(id));
        return {id, std::move(lease)};
    }
    /// The SQLSTATE of what is refused.
    std::string refusal(const std::string& call, const test::parameters& params = {}) {
        try {
            db.execute("SELECT " + call, params);
        } catch (const test::sql_error& why) {
            return why.sqlstate();
        }
        return "";
    }
    std::string begin(const std::string& id, const std::string& lease, const std::string& step,
                      const test::field& key = {}) {
        return db.query(
            "SELECT state || ' ' || idempotency_key || coalesce(' ' || result::text, '') "
            "FROM queue.effect_begin($1, $2, $3, $4)",
            {id, lease, step, key});
    }

    test::test_database db;
    test::stand_in_worker worker{db};
    client on{client_options{db.dsn()}};
    run_records records{on};
};

}  // namespace

TEST_SUITE("run records") {
    TEST_CASE("log: a line under a lease that stands, bounded, with a word about the rest") {
        bench t;
        const auto [id, lease] = t.start();
        t.db.execute("SELECT queue.log($1, $2, 'plain')", {id, lease});
        t.db.execute(
            "SELECT count(queue.log($1, $2, repeat('é', 4000), 'debug')) "
            "FROM generate_series(1, 3)",
            {id, lease});
        t.db.execute("SELECT count(queue.log($1, $2, 'x')) FROM generate_series(1, 1000)",
                     {id, lease});

        CHECK(t.db.query("SELECT count(*) || ' ' || max(octet_length(message)) "
                         "FROM queue.job_logs WHERE attempt = 1") == "1001 2048");
        const auto last = t.records.log(std::stoll(id), [] {
            libqueue::log_filter filter;
            filter.tail = 1;
            return filter;
        }());
        REQUIRE(last.rows.size() == 1);
        CHECK(last.rows[0][5] == "4 more lines were dropped");
        CHECK(t.refusal("queue.log($1, $2, 'x', 'loud')", {id, lease}) == "LQ001");
        CHECK(t.refusal("queue.log($1, $2, 'x')", {id, "999"}) == "LQ007");
    }

    TEST_CASE("log: by bytes, too") {
        bench t;
        const auto [id, lease] = t.start();

        t.db.execute(
            "SELECT count(queue.log($1, $2, repeat('x', 4096))) "
            "FROM generate_series(1, 70)",
            {id, lease});

        CHECK(t.db.query("SELECT count(*) FROM queue.job_log WHERE level = 'info'") == "64");
        CHECK(t.db.query("SELECT message FROM queue.job_log WHERE level = 'warning'") ==
              "6 more lines were dropped");
    }

    TEST_CASE("checkpoint: the last one stays, and only under a lease that stands") {
        bench t;
        const auto [id, lease] = t.start();
        t.db.execute("SELECT queue.checkpoint($1, $2, '1')", {id, lease});
        t.db.execute("SELECT queue.checkpoint($1, $2, '{\"at\": 2}')", {id, lease});

        CHECK(t.refusal("queue.checkpoint($1, $2, '3')", {id, "999"}) == "LQ007");
        CHECK(t.refusal("queue.checkpoint($1, $2, NULL)", {id, lease}) == "LQ001");
        CHECK(t.refusal("queue.checkpoint($1, $2, to_jsonb(repeat('x', 70000)))", {id, lease}) ==
              "LQ001");
        CHECK(t.records.checkpoint(std::stoll(id)) == R"({"at": 2})");
        CHECK(t.records.checkpoint(12345) == std::nullopt);
    }

    TEST_CASE("effects: begin, commit, abandon, resolve say and refuse what they should") {
        bench t;
        const auto [id, lease] = t.start(", idempotency_key => 'order-1'");
        const auto call = [&](const std::string& function, const std::string& rest = {}) {
            return t.refusal("queue." + function + "($1, $2, 's'" + rest + ")", {id, lease});
        };
        CHECK(call("effect_commit") == "LQ005");
        CHECK(t.begin(id, lease, "s") == "begun order-1:s");
        CHECK(t.begin(id, lease, "s") == "unknown order-1:s");
        CHECK(call("effect_abandon") == "");
        CHECK(call("effect_abandon") == "");  // Said twice.
        CHECK(call("effect_commit") == "LQ006");
        CHECK(t.begin(id, lease, "s", "other") == "begun other");
        CHECK(call("effect_begin", ", 'random'") == "LQ004");
        CHECK(t.refusal("queue.effect_commit($1, $2, 's')", {id, "999"}) == "LQ007");
        CHECK(call("effect_resolve", ", NULL") == "LQ001");
        CHECK(t.refusal("queue.effect_resolve($1, NULL, 's', true)", {id}) == "LQ006");
        CHECK(call("effect_commit", ", to_jsonb(repeat('x', 70000))") == "LQ001");
        CHECK(call("effect_commit", ", '{\"a\": 1}'") == "");
        CHECK(call("effect_resolve", ", true") == "");
        CHECK(call("effect_resolve", ", false") == "LQ006");
        CHECK(t.begin(id, lease, "s") == R"(committed other {"a": 1})");

        CHECK(t.refusal("queue.effect_begin($1, $2, 'a b')", {id, lease}) == "LQ001");
        CHECK(t.refusal("queue.effect_begin($1, $2, '')", {id, lease}) == "LQ001");
        CHECK(t.refusal("queue.effect_begin($1, $2, 's', repeat('x', 601))", {id, lease}) ==
              "LQ001");
        CHECK(t.refusal("queue.effect_begin($1, $2, 's')", {id, "999"}) == "LQ007");
    }

    TEST_CASE("effects: a key is one tenant's, and one job's until that has ended it") {
        bench t;
        const std::string tenant{"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"};
        const auto [first, first_lease] = t.start();
        const auto [second, second_lease] = t.start();
        const auto [foreign, foreign_lease] = t.start(", tenant_id => '" + tenant + "'");
        REQUIRE(t.begin(first, first_lease, "s", "k") == "begun k");

        CHECK(t.refusal("queue.effect_begin($1, $2, 'other', 'k')", {second, second_lease}) ==
              "LQ006");
        CHECK(t.begin(foreign, foreign_lease, "s", "k") == "begun k");
        t.db.execute("SELECT queue.effect_commit($1, $2, 's', '5')", {first, first_lease});
        CHECK(t.begin(second, second_lease, "other", "k") == "committed k 5");
        CHECK(t.db.query("SELECT count(*) FROM queue.effects WHERE job_id = $1", {second}) == "0");
    }

    TEST_CASE("effects: of two that begin one key at once the second waits for the first") {
        bench t;
        const auto [first, first_lease] = t.start();
        const auto [second, second_lease] = t.start();
        test::connection one{t.db.dsn()};
        one.execute("BEGIN");
        one.execute("SELECT queue.effect_begin($1, $2, 's', 'k')", {first, first_lease});
        one.execute("SELECT queue.effect_abandon($1, $2, 's')", {first, first_lease});
        std::thread waiting{[&t, id = second, lease = second_lease] {
            t.db.execute("SELECT queue.effect_begin($1, $2, 's', 'k')", {id, lease});
        }};
        CHECK(test::wait_until([&] {
            return t.db.query(
                       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
                       "'Lock' AND datname = current_database()") == "1";
        }));
        one.execute("COMMIT");
        waiting.join();

        CHECK(t.db.query("SELECT string_agg(state, ' ' ORDER BY job_id) FROM queue.effects") ==
              "abandoned begun");
    }

    TEST_CASE("what is begun is durable where the session is not") {
        bench t;
        const auto [id, lease] = t.start();
        test::connection lax{t.db.dsn()};
        lax.execute("SET synchronous_commit = off");
        lax.execute("BEGIN");
        lax.execute("SELECT queue.effect_begin($1, $2, 's')", {id, lease});
        CHECK(lax.query("SHOW synchronous_commit") == "on");
        lax.execute("COMMIT");
        CHECK(lax.query("SHOW synchronous_commit") == "off");
    }

    TEST_CASE("the onlooker: effects and a person's word, progress") {
        bench t;
        const auto [id, lease] = t.start();
        t.begin(id, lease, "s");
        t.db.execute("INSERT INTO queue.progress VALUES ($1, now(), 0.25, 'a quarter')", {id});
        const auto job = std::stoll(id);

        CHECK(t.records.effects(job).rows.at(0).at(1) == "begun");
        CHECK(t.records.progress(job).rows.at(0).at(2) == "a quarter");
        CHECK(t.records.progress(999).rows.empty());
        CHECK(t.records.resolve_effect(job, "s", true).error().code == errc::conflict);
        t.db.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, "
            "outcome, attempt) VALUES ($1, $2, now(), now(), 'discarded', 1)",
            {id, lease});
        CHECK(t.records.resolve_effect(job, "t", true).error().code == errc::not_found);
        CHECK(t.records.resolve_effect(job, "s", true, "{").error().code == errc::invalid_payload);
        CHECK(t.records.resolve_effect(job, "s", true, "7").has_value());
        CHECK(t.records.effects(job).rows.at(0).at(6) == "7");
    }

    TEST_CASE("jobs that go take their records along, and no others'") {
        bench t;
        const auto [id, lease] = t.start();
        const auto [other, other_lease] = t.start();
        for (const auto& [job, of] : {std::pair{id, lease}, std::pair{other, other_lease}}) {
            t.begin(job, of, "s");
            t.db.execute("SELECT queue.log($1, $2, 'x')", {job, of});
            t.db.execute("SELECT queue.checkpoint($1, $2, '1')", {job, of});
            t.db.execute("INSERT INTO queue.progress VALUES ($1, now(), 0, '')", {job});
            t.db.execute("INSERT INTO queue.cancel_request VALUES ($1, now(), '')", {job});
        }

        t.db.execute("SELECT queue.forget_jobs(ARRAY[$1::bigint])", {id});

        for (const std::string table :
             {"effect", "job_log", "checkpoint", "progress", "cancel_request"}) {
            CAPTURE(table);
            CHECK(t.db.query("SELECT string_agg(job_id::text, ',') FROM queue." + table) == other);
        }
    }

    TEST_CASE("a checkpoint goes with its job's completion and stays with a dead one") {
        bench t;
        const auto [done, done_lease] = t.start();
        const auto [dead, dead_lease] = t.start();
        const auto [running, running_lease] = t.start();
        for (const auto& [job, of] : {std::pair{done, done_lease}, std::pair{dead, dead_lease},
                                      std::pair{running, running_lease}}) {
            t.db.execute("SELECT queue.checkpoint($1, $2, '1')", {job, of});
        }
        t.db.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, "
            "outcome, attempt) VALUES ($1, $2, now(), now(), 'completed', 1), "
            "($3, $4, now(), now(), 'discarded', 1)",
            {done, done_lease, dead, dead_lease});

        t.db.execute(std::string{libqueue::sql::prune_side_tables}, {"100"});

        CHECK(t.db.query("SELECT string_agg(job_id::text, ',' ORDER BY job_id) "
                         "FROM queue.checkpoint") == dead + "," + running);
    }

    TEST_CASE("the test kit moves the times of records as well") {
        bench t;
        const auto [id, lease] = t.start();
        t.begin(id, lease, "s");
        t.db.execute("SELECT queue.log($1, $2, 'x')", {id, lease});
        t.db.execute("SELECT queue.checkpoint($1, $2, '1')", {id, lease});

        t.db.execute(std::string{libqueue::sql::testing_move_time}, {"3600000"});

        CHECK(t.db.query(
                  "SELECT (SELECT max(at) FROM queue.job_log) < now() - interval '59 min' "
                  "AND (SELECT max(at) FROM queue.checkpoint) < now() - interval '59 min' "
                  "AND (SELECT max(begun_at) FROM queue.effect) < now() - interval '59 min'") ==
              "t");
    }
}
