// What bulk operations do to many jobs by one statement is what is done to each by itself: two
// databases with the same jobs in every state are acted on both ways and compared.

#include "stand_in_worker.hpp"
#include "support/test_database.hpp"

#include <libqueue/batches.hpp>
#include <libqueue/client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using libqueue::client;
using libqueue::client_options;
using libqueue::job_id;
using libqueue::new_job;

namespace {

/// Jobs in every state there is, the same in each database.
class population {
   public:
    population() : worker_{db}, on_{client_options{db.dsn()}} {
        const auto batch = libqueue::batches{on_}.create(libqueue::new_batch{"all"}).value();
        add(plain());
        add(plain().run_in(std::chrono::hours{1}));
        worker_.fail(add(plain()), "refused", 3600);
        worker_.claim(add(plain()));
        worker_.complete(add(plain()));
        worker_.cancel(add(plain()));
        worker_.kill(add(plain()), "boom");
        worker_.kill(add(plain()), "who knows", "unknown");
        worker_.kill(add(plain()), "gone", "discarded");
        db.execute("DELETE FROM queue.dead_letter WHERE job_id = $1::bigint", {last()});
        worker_.kill(add(plain()), "erased");
        db.execute("UPDATE queue.job SET payload = '{\"erased\": true}' WHERE id = $1::bigint",
                   {last()});
        add(plain().ordered_by("k"));
        add(plain().ordered_by("k"));
        add(plain().at_most(2, "c"));
        add(plain().in_batch(batch));
        worker_.kill(add(plain().in_batch(batch)), "boom");
        suspect(add(plain()));
        all.push_back(9999);
    }

    [[nodiscard]] std::string list() const {
        std::string text{"{"};
        for (const job_id id : all) {
            text += (text.size() > 1 ? "," : "") + std::to_string(id);
        }
        return text + "}";
    }

    /// Everything that is left, without times and numbers that come from sequences.
    [[nodiscard]] std::vector<test::row> left() const {
        return db.rows(
            "SELECT 'line', r.id, format('%s %s %s %s', r.line_id, r.attempt, r.reconcile, "
            "r.run_at <= clock_timestamp()) FROM queue.ready r "
            "UNION ALL SELECT 'key', w.job_id, format('%s %s %s %s', w.line_id, w.attempt, "
            "w.reconcile, w.key) FROM queue.key_wait w "
            "UNION ALL SELECT 'attempt', a.job_id, format('%s %s %s %s %s %s', row_number() OVER "
            "(PARTITION BY a.job_id ORDER BY a.lease_id), a.outcome, a.attempt, a.reconcile, "
            "a.error, a.next_run_at <= clock_timestamp()) FROM queue.attempt a "
            "UNION ALL SELECT 'letter', d.job_id, d.error FROM queue.dead_letter d "
            "UNION ALL SELECT 'asked', c.job_id, c.reason FROM queue.cancel_request c "
            "UNION ALL SELECT 'batch', t.batch_id, format('%s %s %s %s', sum(t.total), "
            "sum(t.succeeded), sum(t.failed), sum(t.cancelled)) FROM queue.batch_tally t "
            "GROUP BY t.batch_id ORDER BY 1, 2, 3");
    }

    test::test_database db;
    std::vector<job_id> all;

   private:
    static new_job plain() { return new_job{"a.b", "{}"}; }
    job_id add(new_job job) {
        all.push_back(on_.enqueue(job).value().id);
        return all.back();
    }
    [[nodiscard]] std::string last() const { return std::to_string(all.back()); }
    /// As the rescuer leaves a job whose worker is lost: in the line of suspects.
    void suspect(job_id id) {
        db.execute(
            "WITH moved AS (UPDATE queue.ready SET line_id = -line_id WHERE id = $1::bigint "
            "RETURNING id, run_at) "
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, "
            "outcome, attempt) SELECT m.id, nextval('queue.lease_id_seq'), now(), now(), m.run_at, "
            "'lost', 1 FROM moved m",
            {std::to_string(id)});
    }

    test::stand_in_worker worker_;
    client on_;
};

struct tally {
    int done{0};
    int refused{0};
};

/// What an operator does to one job after another.
tally act_on_each(const population& with, const std::string& action) {
    tally counted;
    for (const job_id id : with.all) {
        try {
            with.db.execute(action, {std::to_string(id)});
            ++counted.done;
        } catch (const std::exception& refused) {
            CHECK_MESSAGE(
                std::string{refused.what()}.find("job " + std::to_string(id)) != std::string::npos,
                refused.what());
            ++counted.refused;
        }
    }
    return counted;
}

}  // namespace

TEST_SUITE("bulk actions") {
    TEST_CASE("acting on many is acting on each") {
        for (const auto& [action, single] :
             {std::pair{"cancel", "SELECT queue.cancel($1::bigint, 'why')"},
              std::pair{"retry", "SELECT queue.retry($1::bigint)"}}) {
            CAPTURE(action);
            const population many;
            const population each;
            REQUIRE(many.list() == each.list());
            REQUIRE(many.left() == each.left());
            const tally expected = act_on_each(each, single);
            REQUIRE(expected.done > 5);
            REQUIRE(expected.refused > 2);
            const auto got = many.db.rows(
                "SELECT done, skipped, failed FROM queue.act_on_jobs($1, $2::bigint[], 'why')",
                {action, many.list()});
            CHECK(got.at(0).at(0) == std::to_string(expected.done));
            CHECK(got.at(0).at(1) == std::to_string(expected.refused));
            CHECK(got.at(0).at(2) == "0");
            CHECK(many.left() == each.left());
        }
    }

    TEST_CASE("letters replayed together are as those replayed one by one") {
        const population many;
        const population each;
        for (const job_id id : each.all) {
            try {
                each.db.execute("SELECT queue.replay(ARRAY[$1::bigint])", {std::to_string(id)});
            } catch (const std::exception& refused) {
                CHECK(std::string{refused.what()}.find("erased") != std::string::npos);
            }
        }
        const auto got = many.db.rows(
            "SELECT done, skipped, failed, problem FROM "
            "queue.act_on_jobs('replay', $1::bigint[], NULL)",
            {many.list()});
        CHECK(got.at(0).at(0) == "3");
        CHECK(got.at(0).at(2) == "1");
        CHECK(got.at(0).at(3).value_or("").find("erased") != std::string::npos);
        CHECK(many.left() == each.left());
    }

    TEST_CASE("replayed letters are due one after another") {
        const population with;
        with.db.execute("DELETE FROM queue.dead_letter WHERE error = 'erased'");
        const auto spread = with.db.query(
            "WITH done AS MATERIALIZED (SELECT * FROM queue.replay("
            "ARRAY(SELECT job_id FROM queue.dead_letter), spacing => interval '1 minute')) "
            "SELECT count(*) = 3 AND bool_and(id = new_id) FROM done");
        CHECK(spread == "t");
        CHECK(with.db.query("SELECT array_agg(DISTINCT gap) FROM (SELECT r.run_at - lag(r.run_at) "
                            "OVER (ORDER BY r.id) AS gap FROM queue.ready r JOIN queue.attempt a "
                            "ON a.job_id = r.id AND a.outcome = 'replayed') g "
                            "WHERE gap IS NOT NULL") == "{00:01:00}");
    }
}
