#include "ended_jobs.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

using namespace engine_test;
using libqueue::job_id;

TEST_SUITE_BEGIN("erasure");

namespace {

const std::string tenant_a{"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"};
const std::string tenant_b{"0d5a1c7e-11f2-4c0b-8a6e-5d2f9b7c4e33"};

/// Names of the tables of which a row holds the text anywhere.
std::string tables_with(const rig& t, const std::string& text) {
    std::string found;
    test::connection on{t.db.dsn()};
    for (const auto& row : on.rows("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                                   "WHERE schemaname = 'queue' ORDER BY 1")) {
        const std::string& table = row.at(0).value();
        if (on.query("SELECT count(*) FROM " + table + " x WHERE strpos(x::text, $1) > 0",
                     {text}) != "0") {
            found += table + " ";
        }
    }
    return found;
}

void note(const rig& t, const std::string& subject, job_id id) {
    t.db.execute("SELECT queue.note_subject($1, NULL, ARRAY[$2]::bigint[])",
                 {subject, std::to_string(id)});
}

/// A job with the text in every place a job has.
job_id full_of(const rig& t, const std::string& text, const std::string& kind = "kept") {
    const job_id id =
        t.enqueue(kind, R"({"mail": ")" + text + R"("})",
                  "meta => '{\"who\": \"" + text + "\", \"replay_of\": 5}', tags => '{" + text +
                      "}', idempotency_key => '" + text + "' || random()");
    note(t, text, id);
    const std::string text_id = std::to_string(id);
    t.db.execute("INSERT INTO queue.progress VALUES ($1, now(), 0.5, $2)", {text_id, text});
    t.db.execute("INSERT INTO queue.cancel_request VALUES ($1, now(), $2)", {text_id, text});
    t.db.execute(
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, "
        "outcome, attempt, error) SELECT $1, nextval('queue.lease_id_seq'), now(), now(), run_at, "
        "'failed', 1, 'no mailbox ' || $2 FROM queue.job WHERE id = $1",
        {text_id, text});
    return id;
}

void put_output(const rig& t, const std::string& text) {
    t.db.execute(
        "UPDATE queue.attempt SET output = jsonb_build_object('mail', $1::text), error = $1 "
        "WHERE next_run_at IS NULL",
        {text});
}

std::string erase(const rig& t, const std::string& subject, const std::string& more = "") {
    return t.db.query(
        "SELECT concat_ws(' ', jobs, attempts, dead_letters, archived, keys, "
        "cancelled, running) FROM queue.erase($1" +
            more + ")",
        {subject});
}

}  // namespace

TEST_CASE("nothing of the subject is left in any table, and all of others") {
    rig t;
    t.db.execute("SELECT queue.set_archive('archived', 'a')");
    for (const std::string who : {"ann@example.org", "bob@example.org"}) {
        full_of(t, who, "archived");
        end_all(t, "completed", "15 days");
        put_output(t, who);
        REQUIRE(prune(t) == 1);
        full_of(t, who);
        end_all(t, "completed", "2 days");
        const job_id letter = full_of(t, who);
        end_all(t, "discarded", "1 day");
        put_output(t, who);
        t.db.execute(
            "INSERT INTO queue.dead_letter (job_id, died_at, created_at, queue, kind, priority, "
            "max_attempts, attempt, reason, error, fingerprint, payload, meta, attempts) "
            "SELECT id, now(), now(), 'default', 'kept', 5, 4, 1, 'x', $2, 'f', payload, meta, "
            "jsonb_build_array(jsonb_build_object('error', $2::text)) "
            "FROM queue.job WHERE id = $1",
            {std::to_string(letter), who});
    }
    for (const std::string who : {"ann@example.org", "bob@example.org"}) {
        full_of(t, who);
    }
    const std::string everywhere =
        "queue.archived_job queue.attempt queue.cancel_request queue.dead_letter "
        "queue.idempotency queue.job queue.progress ";
    REQUIRE(tables_with(t, "ann@example.org") == everywhere);

    CHECK(erase(t, "ann@example.org", ", reason => 'asked by mail'") == "3 6 1 1 4 1 0");

    CHECK(tables_with(t, "ann@example.org").empty());
    CHECK(tables_with(t, "bob@example.org") == everywhere);
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs WHERE payload = '{\"erased\": true}' "
                     "AND meta = '{\"replay_of\": 5}' AND state IN ('completed', 'dead', "
                     "'cancelled')") == "3");
    CHECK(t.db.query("SELECT payload || coalesce(output, '{}') || meta FROM queue.archived_jobs "
                     "WHERE id = 1") == R"({"erased": true, "replay_of": 5})");
    CHECK(t.db.query("SELECT reason || ' ' || running || ' ' || (finished_at IS NOT NULL) FROM "
                     "queue.erasures") == "asked by mail 0 true");
    CHECK(erase(t, "ann@example.org") == "0 0 0 0 0 0 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.erasures") == "2");
}

TEST_CASE("waiting and delayed jobs of the subject never run") {
    rig t;
    note(t, "ann", t.enqueue("kept", R"({"a": 1})"));
    note(t, "ann", t.enqueue("kept", R"({"a": 1})", "delay => interval '10 days'"));
    const job_id other = t.enqueue("kept");

    CHECK(erase(t, "ann") == "2 2 0 0 0 2 0");

    CHECK(t.db.query("SELECT string_agg(id::text, ',') FROM queue.ready") == std::to_string(other));
    CHECK(
        t.db.query("SELECT string_agg(state || payload::text, ',') FROM queue.jobs WHERE id < 3") ==
        R"(cancelled{"erased": true},cancelled{"erased": true})");
}

TEST_CASE("a running job is told to stop, keeps what it works with, and is erased when it ended") {
    rig t;
    std::promise<void> looked;
    const auto look = looked.get_future().share();
    // Told to stop it goes on until the test has looked, so that no round of retention comes
    // before.
    const auto handler = blocking("kept", [look](libqueue::job_context& job) {
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any told;
        told.wait_for(lock, job.stop_token(), 60s, [] { return false; });
        const bool stopped = job.stop_token().stop_requested();
        static_cast<void>(look.wait_for(60s));
        return stopped ? libqueue::cancelled("ann@example.org left") : libqueue::completed();
    });
    const job_id id = t.enqueue("kept", R"({"mail": "ann@example.org"})");
    note(t, "ann", id);
    {
        const auto worker = t.start({handler});
        REQUIRE(t.wait_state(id, "running"));

        CHECK(erase(t, "ann") == "0 0 0 0 0 0 1");
        CHECK(t.db.query("SELECT running || ' ' || (finished_at IS NULL) FROM queue.erasures") ==
              "1 true");
        CHECK(tables_with(t, "ann@example.org") == "queue.job ");
        looked.set_value();
        CHECK(t.wait_state(id, "cancelled"));
    }
    // The next round of retention; a worker's first is when it starts.
    const auto worker = t.start({noop()});
    CHECK(test::wait_until([&] { return tables_with(t, "ann@example.org").empty(); }));

    CHECK(t.db.query("SELECT concat_ws(' ', jobs, attempts, running, finished_at IS NOT NULL) "
                     "FROM queue.erasures") == "1 1 0 t");
    CHECK(t.db.query("SELECT count(*) FROM queue.subject") == "0");
    CHECK(t.db.query("SELECT count(*) FROM queue.erasure_pending") == "0");
}

TEST_CASE("a job that came back in line after it was to be erased is cancelled and erased") {
    rig t;
    const job_id id = t.enqueue("kept", R"({"mail": "ann@example.org"})");
    note(t, "ann", id);
    t.db.execute(
        "WITH taken AS (DELETE FROM queue.ready RETURNING id, attempt, run_at, line_id), "
        "kept AS (INSERT INTO queue.lease SELECT nextval('queue.lease_id_seq'), 7, now(), "
        "array_agg(id), array_agg(attempt) "
        "FROM taken) SELECT 1");
    REQUIRE(erase(t, "ann") == "0 0 0 0 0 0 1");
    CHECK(t.db.query("SELECT queue.finish_erasures()") == "0");
    t.db.execute(
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, "
        "outcome, attempt, error) SELECT j.id, s.id, now(), now(), run_at, 'failed', 1, "
        "'ann@example.org' FROM queue.job j, queue.lease s;"
        "INSERT INTO queue.ready (id, run_at, line_id, attempt) "
        "SELECT id, run_at, line_id, 1 FROM queue.job;"
        "DELETE FROM queue.lease");

    CHECK(t.db.query("SELECT queue.finish_erasures()") == "1");

    CHECK(t.state(id) == "cancelled");
    CHECK(tables_with(t, "ann@example.org").empty());
    CHECK(t.db.query("SELECT cancelled FROM queue.erasures") == "1");
}

TEST_CASE("a subject is its tenant's own") {
    rig t;
    std::vector<job_id> ids;
    for (const auto& tenant : {tenant_a, tenant_b}) {
        ids.push_back(t.enqueue("kept", "{}", "tenant_id => '" + tenant + "'"));
        t.db.execute("SELECT queue.note_subject('user-7', $1, ARRAY[$2]::bigint[])",
                     {tenant, std::to_string(ids.back())});
    }

    CHECK(erase(t, "user-7") == "0 0 0 0 0 0 0");
    CHECK(erase(t, "user-7", ", tenant_id => '" + tenant_a + "'") == "1 1 0 0 0 1 0");
    CHECK(t.state(ids[0]) == "cancelled");
    CHECK(t.state(ids[1]) == "ready");
}

TEST_CASE("the subject of an enqueue is not shown in its meta, and finds the job") {
    rig t;
    const std::string named = "subject => 'ann@example.org'";
    t.enqueue("kept", "{}", named);
    t.enqueue("kept", "{}", named + ", idempotency_key => 'k'");
    t.enqueue_many("kept", 3, named);

    CHECK(tables_with(t, "ann@example.org").empty());
    CHECK(erase(t, "ann@example.org") == "5 5 0 0 1 5 0");
}

TEST_CASE("what was erased is not run again, and a new job made of it is of the same subject") {
    rig t;
    const job_id erased = t.enqueue("kept", R"({"a": 1})", "subject => 'ann'");
    REQUIRE(erase(t, "ann") == "1 1 0 0 0 1 0");
    CHECK_THROWS_WITH_AS(t.db.execute("SELECT queue.retry($1)", {std::to_string(erased)}),
                         doctest::Contains("its content was erased"), test::sql_error);
    CHECK(t.db.query("SELECT count(*) FROM queue.ready") == "0");

    const job_id letter = dead(t, "1 day");
    note(t, "bob", letter);
    t.db.execute("SELECT queue.replay(ARRAY[$1]::bigint[], payload => '{\"bob\": 2}')",
                 {std::to_string(letter)});
    CHECK(erase(t, "bob") == "2 2 0 0 0 1 0");
}

TEST_CASE("a dry run counts and leaves everything as it is") {
    rig t;
    full_of(t, "ann@example.org");
    t.db.execute("DELETE FROM queue.attempt");
    CHECK(erase(t, "ann@example.org", ", dry_run => true") == "1 0 0 0 1 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.erasures") == "0");
    CHECK(t.state(1) == "ready");
    CHECK(tables_with(t, "ann@example.org") ==
          "queue.cancel_request queue.idempotency queue.job queue.progress ");
}

TEST_CASE("a subject goes with its last job; an archived one is still found by it") {
    rig t;
    t.db.execute("SELECT queue.set_archive('archived', 'a')");
    const job_id plain = ended(t, "completed", "15 days");
    const job_id archived = ended(t, "completed", "15 days", "archived");
    note(t, "ann", plain);
    note(t, "ann", archived);

    REQUIRE(prune(t) == 2);
    CHECK(t.db.query("SELECT string_agg(job_id::text, ',') FROM queue.subject") ==
          std::to_string(archived));
    CHECK(t.db.query("SELECT queue.remove_archived('a', ARRAY[$1]::bigint[])",
                     {std::to_string(archived)}) == "1");
    CHECK(t.db.query("SELECT count(*) FROM queue.subject") == "0");
}

TEST_CASE("a key that came to stand for another job is not taken from it") {
    rig t;
    const job_id first = t.enqueue("kept", "{}", "idempotency_key => 'k'");
    note(t, "ann", first);
    t.db.execute("UPDATE queue.idempotency SET expires_at = now() - interval '1 s'");
    const job_id second = t.enqueue("kept", "{}", "idempotency_key => 'k'");

    CHECK(erase(t, "ann") == "1 1 0 0 0 1 0");

    CHECK(t.enqueue("kept", "{}", "idempotency_key => 'k'") == second);
}

TEST_CASE("subjects and reasons that cannot be are refused") {
    rig t;
    const auto refused = [&](const std::string& sql, const char* why) {
        CHECK_THROWS_WITH_AS(t.db.execute("SELECT " + sql), doctest::Contains(why),
                             test::sql_error);
    };
    refused("queue.erase('')", "subject: expected 1 to 512 bytes, got 0");
    refused("queue.erase(NULL)", "subject: expected 1 to 512 bytes, got NULL");
    refused("queue.note_subject(repeat('x', 513), NULL, '{1}')",
            "subject: expected 1 to 512 bytes, got 513");
    refused("queue.erase('a', reason => repeat('x', 1001))",
            "reason: expected at most 1000 bytes, got 1001");
    CHECK(t.db.query("SELECT count(*) FROM queue.erasures") == "0");
}

TEST_SUITE_END();
