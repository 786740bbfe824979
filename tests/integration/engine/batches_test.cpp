#include "rig.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace engine_test;
using libqueue::event_type;
using libqueue::job_id;

TEST_SUITE_BEGIN("batches");

namespace {

std::string create(const rig& t, const std::string& arguments = {}) {
    return t.db.query("SELECT queue.create_batch(" + arguments + ")");
}

std::vector<job_id> add(const rig& t, const std::string& batch, int jobs,
                        const std::string& kind = "noop", const std::string& more = {}) {
    return t.enqueue_many(kind, jobs, "batch_id => " + batch + (more.empty() ? "" : ", " + more));
}

std::string list(const std::vector<job_id>& jobs, std::size_t from, std::size_t count) {
    std::string text;
    for (std::size_t at = from; at < from + count; ++at) {
        text += (text.empty() ? "{" : ",") + std::to_string(jobs.at(at));
    }
    return text + "}";
}

/// Ends waiting jobs as a worker would, without one.
void finish(const rig& t, const std::string& jobs, const std::string& said) {
    t.db.execute(
        "WITH gone AS (DELETE FROM queue.ready WHERE id = ANY ($1::bigint[]) RETURNING id), "
        "ended AS (INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, "
        "attempt, error) SELECT id, nextval('queue.lease_id_seq'), now(), now(), "
        "$2::queue.attempt_outcome, 1, CASE WHEN $2 <> 'completed' THEN $2 || '!' END FROM gone "
        "RETURNING job_id, lease_id) "
        "INSERT INTO queue.dead_letter (job_id, died_at, created_at, queue, kind, priority, "
        "max_attempts, attempt, reason, fingerprint, payload, meta, attempts) "
        "SELECT j.id, now(), now(), 'default', 'noop', 5, 4, 1, 'test', 'f', j.payload, j.meta, "
        "'[]' FROM queue.job j WHERE $2 NOT IN ('completed', 'cancelled') "
        "AND j.id = ANY ($1::bigint[])",
        {jobs, said});
    t.db.execute(
        "SELECT queue.settle_these(array_agg(job_id), array_agg(lease_id)) FROM (SELECT job_id, "
        "max(lease_id) AS lease_id FROM queue.attempt WHERE job_id = ANY ($1::bigint[]) "
        "GROUP BY job_id) latest",
        {jobs});
}

std::string fold(const rig& t) {
    return t.db.query(
        "SELECT concat_ws(' ', ended, CASE WHEN more THEN 'more' END, "
        "CASE WHEN passed THEN 'passed' END) FROM queue.fold_batches('1 minute')");
}

/// "STATE total succeeded failed cancelled".
std::string counts(const rig& t, const std::string& batch) {
    return t.db.query(
        "SELECT concat_ws(' ', state, total, succeeded, failed, cancelled) FROM queue.batches "
        "WHERE id = $1",
        {batch});
}

std::string callbacks(const rig& t) {
    return t.db.query(
        "SELECT string_agg(kind || ' ' || (payload->>'state'), ', ' ORDER BY id) FROM queue.jobs "
        "WHERE meta ? 'callback_of'");
}

const std::string all_callbacks{"'b', 'ok', 'bad', 'done'"};

}  // namespace

TEST_CASE("counts are exact before and after they are folded") {
    rig t;
    const auto batch = create(t);
    const auto jobs = add(t, batch, 5);
    CHECK(counts(t, batch) == "PENDING 5 0 0 0");
    finish(t, list(jobs, 0, 2), "completed");
    finish(t, list(jobs, 2, 1), "discarded");
    CHECK(counts(t, batch) == "PROCESSING 5 2 1 0");
    CHECK(fold(t) == "0");
    CHECK(counts(t, batch) == "PROCESSING 5 2 1 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_tally") == "0");
    CHECK(t.db.query("SELECT processed || ' ' || pending FROM queue.batches") == "3 2");

    // Sealed with work left it goes on.
    t.db.execute("SELECT queue.seal_batch(1)");
    CHECK(fold(t) == "0");
    CHECK(counts(t, batch) == "PROCESSING 5 2 1 0");
    CHECK(t.db.query("SELECT finished_at IS NULL FROM queue.batches") == "t");
}

TEST_CASE("state: what a sealed batch has come to when all its jobs have ended") {
    rig t;
    struct row {
        int completed;
        int discarded;
        int cancelled;
        const char* state;
    };
    for (const row& each :
         {row{3, 0, 0, "COMPLETED"}, row{0, 3, 0, "FAILED"}, row{2, 1, 0, "PARTIAL_SUCCESS"},
          row{2, 0, 1, "PARTIAL_SUCCESS"}, row{0, 0, 3, "FAILED"}, row{0, 0, 0, "COMPLETED"}}) {
        CAPTURE(each.state);
        const auto batch = create(t);
        const int total = each.completed + each.discarded + each.cancelled;
        if (total > 0) {
            const auto jobs = add(t, batch, total);
            std::size_t at = 0;
            const auto end = [&](int count, const char* said) {
                if (count > 0) {
                    finish(t, list(jobs, at, static_cast<std::size_t>(count)), said);
                    at += static_cast<std::size_t>(count);
                }
            };
            end(each.completed, "completed");
            end(each.discarded, "discarded");
            end(each.cancelled, "cancelled");
        }
        CHECK(fold(t) == "0");
        t.db.execute("SELECT queue.seal_batch($1)", {batch});
        CHECK(fold(t) == "1");
        CHECK(counts(t, batch).find(std::string{each.state} + " ") == 0);
        CHECK(t.db.query("SELECT finished_at IS NOT NULL FROM queue.batches WHERE id = $1",
                         {batch}) == "t");
    }
}

TEST_CASE("a job that goes back in line counts nothing") {
    rig t;
    const auto batch = create(t);
    const auto jobs = add(t, batch, 1);
    t.db.execute("SELECT queue.retry($1)", {std::to_string(jobs[0])});
    CHECK(counts(t, batch) == "PENDING 1 0 0 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_tally") == "1");
}

TEST_CASE("callbacks: on_finish and on_success or on_failure, each once, with the counts") {
    rig t;
    const std::string tenant{"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"};
    const auto batch = create(t, all_callbacks + ", payload => '{\"x\": 1}', tenant_id => '" +
                                     tenant + "', callback_priority => 2");
    const auto jobs = add(t, batch, 2);
    t.db.execute("SELECT queue.seal_batch(1)");
    finish(t, list(jobs, 0, 2), "completed");
    CHECK(fold(t) == "1");
    CHECK(fold(t) == "0");

    CHECK(callbacks(t) == "ok COMPLETED, done COMPLETED");
    const auto job =
        t.db.rows("SELECT payload, tenant_id, priority, meta FROM queue.jobs WHERE kind = 'done'")
            .at(0);
    CHECK(boost::json::parse(job.at(0).value()) ==
          boost::json::parse(R"({"batch_id": 1, "name": "b", "state": "COMPLETED", "total": 2,
                                 "succeeded": 2, "failed": 0, "cancelled": 0,
                                 "payload": {"x": 1}})"));
    CHECK(job.at(1) == tenant);
    CHECK(job.at(2) == "2");
    CHECK(job.at(3) == R"({"callback_of": 1})");
    CHECK(t.db.query("SELECT (SELECT kind FROM queue.jobs j WHERE j.id = on_success_job_id) || "
                     "coalesce(on_failure_job_id::text, ' -') FROM queue.batches") == "ok -");
}

TEST_CASE("a dead letter that is replayed opens the batch again; counts and state follow") {
    rig t;
    const auto batch = create(t, all_callbacks);
    const auto jobs = add(t, batch, 2);
    t.db.execute("SELECT queue.seal_batch(1)");
    finish(t, list(jobs, 0, 1), "completed");
    finish(t, list(jobs, 1, 1), "discarded");
    CHECK(fold(t) == "1");
    CHECK(callbacks(t) == "bad PARTIAL_SUCCESS, done PARTIAL_SUCCESS");

    t.db.execute("SELECT * FROM queue.replay($1::bigint[])", {list(jobs, 1, 1)});
    CHECK(counts(t, batch) == "PROCESSING 2 1 0 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_items(1, 'dead')") == "0");
    CHECK(fold(t) == "0");
    CHECK(t.db.query("SELECT finished_at IS NULL AND expires_at IS NULL FROM queue.batches") ==
          "t");

    finish(t, list(jobs, 1, 1), "completed");
    CHECK(fold(t) == "1");
    CHECK(counts(t, batch) == "COMPLETED 2 2 0 0");
    CHECK(callbacks(t) == "bad PARTIAL_SUCCESS, done PARTIAL_SUCCESS, ok COMPLETED");
}

TEST_CASE("a cancelled item that is retried is counted when it ends, and once") {
    rig t;
    const auto batch = create(t);
    const auto jobs = add(t, batch, 1);
    t.db.execute("SELECT queue.cancel($1)", {std::to_string(jobs[0])});
    CHECK(counts(t, batch) == "PROCESSING 1 0 0 1");
    t.db.execute("SELECT queue.retry($1)", {std::to_string(jobs[0])});
    CHECK(counts(t, batch) == "PENDING 1 0 0 0");
    finish(t, list(jobs, 0, 1), "completed");
    CHECK(counts(t, batch) == "PROCESSING 1 1 0 0");
}

TEST_CASE("a cancel under a savepoint counts, one that is rolled back does not") {
    rig t;
    const auto batch = create(t);
    const auto jobs = add(t, batch, 2);
    test::connection on{t.db.dsn()};
    on.execute("BEGIN; SAVEPOINT a");
    on.execute("SELECT queue.cancel($1)", {std::to_string(jobs[0])});
    on.execute("RELEASE a; SAVEPOINT b");
    on.execute("SELECT queue.cancel($1)", {std::to_string(jobs[1])});
    on.execute("ROLLBACK TO b; COMMIT");
    CHECK(counts(t, batch) == "PROCESSING 2 0 0 1");
}

TEST_CASE("items belong to a batch when their producer commits") {
    rig t;
    const auto batch = create(t);
    test::connection on{t.db.dsn()};
    on.execute("BEGIN");
    on.execute("SELECT queue.enqueue('noop', '{}', batch_id => 1)");
    CHECK(counts(t, batch) == "PENDING 0 0 0 0");
    on.execute("ROLLBACK");
    CHECK(counts(t, batch) == "PENDING 0 0 0 0");
    add(t, batch, 2500);
    t.enqueue("noop", "{}", "batch_id => 1, idempotency_key => 'k'");
    t.enqueue("noop", "{}", "batch_id => 1, idempotency_key => 'k'");
    CHECK(counts(t, batch) == "PENDING 2501 0 0 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_part") == "4");
}

TEST_CASE("sealing waits for those who add; then nobody may") {
    rig t;
    const auto batch = create(t);
    test::connection adder{t.db.dsn()};
    test::connection other{t.db.dsn()};
    test::connection sealer{t.db.dsn()};
    adder.execute("BEGIN; SELECT queue.enqueue('noop', '{}', batch_id => 1)");
    // Adders do not wait for each other.
    other.execute("SET lock_timeout = '5s'; SELECT queue.enqueue('noop', '{}', batch_id => 1)");

    sealer.execute("SET lock_timeout = '50ms'");
    CHECK_THROWS_WITH(sealer.execute("SELECT queue.seal_batch(1)"),
                      doctest::Contains("lock timeout"));
    adder.execute("COMMIT");
    sealer.execute("SELECT queue.seal_batch(1)");
    CHECK(counts(t, batch) == "PENDING 2 0 0 0");
    CHECK_THROWS_WITH(t.enqueue("noop", "{}", "batch_id => 1"),
                      doctest::Contains("batch 1 takes no more jobs: it was sealed at"));
    CHECK_THROWS_WITH(add(t, batch, 2), doctest::Contains("batch 1 takes no more jobs"));
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs") == "2");
    CHECK_THROWS_WITH(sealer.execute("SELECT queue.seal_batch(1)"),
                      doctest::Contains("batch 1 cannot be sealed: it was sealed at"));
}

TEST_CASE("an adder whose snapshot is older than the seal is refused") {
    rig t;
    create(t);
    test::connection adder{t.db.dsn()};
    adder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM queue.batch");
    t.db.execute("SELECT queue.seal_batch(1)");
    CHECK_THROWS_WITH(adder.execute("SELECT queue.enqueue('noop', '{}', batch_id => 1)"),
                      doctest::Contains("could not serialize access"));
}

TEST_CASE("cancel: what waits is cancelled, what runs is asked, nothing is added") {
    rig t;
    const auto batch = create(t, all_callbacks);
    const auto jobs = add(t, batch, 3);
    add(t, batch, 1, "noop", "delay => '1 hour'");
    finish(t, list(jobs, 0, 1), "completed");
    // Taken out of line, as a claim does.
    t.db.execute("DELETE FROM queue.ready WHERE id = $1", {std::to_string(jobs[1])});

    CHECK(t.db.query("SELECT concat_ws(' ', cancelled, asked, finished) "
                     "FROM queue.cancel_batch(1, 'enough')") == "2 1 t");
    CHECK(counts(t, batch) == "PROCESSING 4 1 0 2");
    CHECK(t.db.query("SELECT job_id || ' ' || reason FROM queue.cancel_request") ==
          std::to_string(jobs[1]) + " enough");
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_items(1, 'cancelled') "
                     "WHERE error = 'enough'") == "2");
    CHECK_THROWS_WITH(add(t, batch, 1), doctest::Contains("it was cancelled at"));
    CHECK(fold(t) == "0");

    // Its handler may complete all the same.
    t.db.execute(
        "INSERT INTO queue.ready SELECT id, run_at, line_id, 0 FROM queue.job "
        "WHERE id = $1",
        {std::to_string(jobs[1])});
    finish(t, list(jobs, 1, 1), "completed");
    CHECK(fold(t) == "1");
    CHECK(counts(t, batch) == "PARTIAL_SUCCESS 4 2 0 2");
    CHECK(callbacks(t) == "bad PARTIAL_SUCCESS, done PARTIAL_SUCCESS");
    CHECK_THROWS_WITH(t.db.execute("SELECT queue.cancel_batch(1)"),
                      doctest::Contains("batch 1 cannot be cancelled: it ended at"));
}

TEST_CASE("cancel of a large batch: what the time does not suffice for, the fold goes on with") {
    rig t;
    const auto batch = create(t);
    add(t, batch, 4500);
    CHECK(t.db.query("SELECT concat_ws(' ', cancelled, asked, finished) "
                     "FROM queue.cancel_batch(1, 'enough', '0')") == "1000 0 f");
    CHECK(t.db.query("SELECT cancelling FROM queue.batches") == "t");
    REQUIRE(test::wait_until([&] {
        t.db.execute("SELECT queue.fold_batches('0.01 s')");
        return counts(t, batch) == "FAILED 4500 0 0 4500";
    }));
    CHECK(fold(t).find("passed") == std::string::npos);
    CHECK(t.db.query("SELECT cancelling FROM queue.batches") == "f");
    CHECK(t.db.query("SELECT finished_at IS NOT NULL FROM queue.batches") == "t");
}

TEST_CASE("a batch somebody holds is passed by and keeps no other waiting") {
    rig t;
    const auto held = create(t);
    const auto free = create(t);
    for (const auto& batch : {held, free}) {
        const auto jobs = add(t, batch, 1);
        finish(t, list(jobs, 0, 1), "completed");
        t.db.execute("SELECT queue.seal_batch($1)", {batch});
    }
    test::connection on{t.db.dsn()};
    on.execute("BEGIN; SELECT FROM queue.batch WHERE id = 1 FOR UPDATE");
    CHECK(fold(t) == "1 passed");
    CHECK(counts(t, free) == "COMPLETED 1 1 0 0");
    CHECK(counts(t, held) == "COMPLETED 1 1 0 0");
    CHECK(t.db.query("SELECT finished_at IS NULL FROM queue.batches WHERE id = 1") == "t");
    on.execute("COMMIT");
    CHECK(fold(t) == "1");
}

TEST_CASE("a fold that is rolled back has not happened") {
    rig t;
    const auto batch = create(t, all_callbacks);
    const auto jobs = add(t, batch, 2);
    finish(t, list(jobs, 0, 2), "completed");
    t.db.execute("SELECT queue.seal_batch(1)");
    {
        test::connection dies{t.db.dsn()};
        dies.execute("BEGIN; SELECT queue.fold_batches()");
    }
    CHECK(test::wait_until([&] { return fold(t) == "1"; }));
    CHECK(counts(t, batch) == "COMPLETED 2 2 0 0");
    CHECK(callbacks(t) == "ok COMPLETED, done COMPLETED");
}

TEST_CASE("what commits late is not folded over, and a batch does not end without it") {
    rig t;
    const auto batch = create(t);
    const auto jobs = add(t, batch, 1);
    test::connection late{t.db.dsn()};
    late.execute("BEGIN");
    late.execute("SELECT queue.cancel($1)", {std::to_string(jobs[0])});
    const auto more = add(t, batch, 1);
    finish(t, list(more, 0, 1), "completed");
    const std::string call{
        "SELECT up_to, drawn, next_xid > $2::bigint, oldest_xid FROM queue.fold_batches("
        "after_id => $1::bigint)"};
    const auto first = t.db.rows(call, {"0", "0"}).at(0);
    // All that was drawn is not all that is folded: the one who drew is older than next_xid.
    CHECK(first.at(1) == t.db.query("SELECT last_value FROM queue.batch_tally_id_seq"));
    const auto then = t.db.rows(call, {"0", first.at(3)}).at(0);
    CHECK(then.at(2) == "t");
    CHECK(then.at(3) == first.at(3));
    late.execute("COMMIT");
    t.db.execute("SELECT queue.seal_batch(1)");
    CHECK(fold(t) == "1");
    CHECK(counts(t, batch) == "PARTIAL_SUCCESS 2 1 0 1");
}

TEST_CASE("a tally behind the fold keeps the batch from ending until it is folded") {
    rig t;
    const auto batch = create(t);
    const auto jobs = add(t, batch, 2);
    finish(t, list(jobs, 0, 2), "completed");
    t.db.execute("SELECT queue.seal_batch(1)");
    t.db.execute("SELECT queue.retry(job_id) FROM queue.attempt LIMIT 0");
    // As if one more item had been counted by a transaction that drew its tally long ago.
    t.db.execute("INSERT INTO queue.batch_tally (id, batch_id, total) VALUES (-5, 1, 1)");
    CHECK(t.db.query("SELECT concat_ws(' ', ended, passed, up_to) FROM queue.fold_batches()") ==
          "0 t -6");
    CHECK(counts(t, batch) == "PROCESSING 3 2 0 0");
    t.db.execute("SELECT queue.fold_batches(after_id => -6)");
    CHECK(t.db.query("SELECT finished_at IS NULL FROM queue.batches") == "t");
}

TEST_CASE("a callback that cannot be enqueued is shown and tried again") {
    rig t;
    const auto batch = create(t, "on_finish => 'done', on_success => 'ok'");
    t.db.execute("UPDATE queue.queue SET max_payload_bytes = 8");
    t.db.execute("SELECT queue.seal_batch(1)");
    CHECK(fold(t) == "1");
    CHECK(t.db.query("SELECT callback_error FROM queue.batches").find("payload: expected") == 0);
    CHECK(callbacks(t).empty());
    CHECK(counts(t, batch) == "COMPLETED 0 0 0 0");

    t.db.execute("SELECT queue.prune_batches()");
    CHECK(fold(t) == "0");
    CHECK(callbacks(t).empty());
    t.db.execute("UPDATE queue.queue SET max_payload_bytes = 100000");
    t.db.execute("SELECT queue.prune_batches()");
    CHECK(fold(t) == "0");
    CHECK(callbacks(t) == "ok COMPLETED, done COMPLETED");
    CHECK(t.db.query("SELECT callback_error IS NULL FROM queue.batches") == "t");
}

TEST_CASE("items: pages in order of adding, states, errors of the failed, ids of those removed") {
    rig t;
    const auto batch = create(t);
    const auto jobs = add(t, batch, 2500);
    finish(t, list(jobs, 1, 2), "discarded");
    const auto page = [&](const std::string& more) {
        return t.db.query(
            "SELECT concat_ws(' ', count(*), min(id), max(id)) "
            "FROM queue.batch_items(1" +
            more + ")");
    };
    CHECK(page("") == "100 1 100");
    CHECK(page(", after => 100, most => 2000") == "2000 101 2100");
    CHECK(page(", after => 2100, most => 2000") == "400 2101 2500");
    CHECK(page(", state => 'ready', most => 10000") == "2498 1 2500");
    CHECK(page(", state => 'dead'") == "2 2 3");
    CHECK(page(", state => 'dead', after => 2") == "1 3 3");
    CHECK(
        t.db.rows("SELECT state, kind, attempts, error FROM queue.batch_items(1, 'dead')").at(0) ==
        test::row{"dead", "noop", "1", "discarded!"});

    t.db.execute("DELETE FROM queue.job WHERE id IN (2, 5)");  // As retention does.
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_items(1, most => 10) "
                     "WHERE state IS NULL AND id IN (2, 5)") == "2");
    CHECK(t.db.query("SELECT state FROM queue.batch_items(1, 'dead') LIMIT 1") == "dead");
    CHECK_THROWS_WITH(page(", after => 9999"),
                      doctest::Contains("after: expected a job of batch 1, got 9999"));
    CHECK_THROWS_WITH(page(", most => 0"), doctest::Contains("most: expected 1 to 10000, got 0"));
    CHECK_THROWS_WITH(page(", state => 'x'"), doctest::Contains("state: expected scheduled"));
}

TEST_CASE("a batch goes when its retention is over, its jobs and an unfinished one stay") {
    rig t;
    const auto batch = create(t, "retention => '1 hour'");
    create(t);
    const auto jobs = add(t, batch, 3);
    finish(t, list(jobs, 0, 3), "discarded");
    t.db.execute("SELECT queue.seal_batch(1)");
    CHECK(fold(t) == "1");
    t.db.execute("SELECT queue.prune_batches(now() + interval '59 minutes')");
    CHECK(t.db.query("SELECT count(*) FROM queue.batches") == "2");
    // A bounded number of rows at a time.
    t.db.execute("SELECT queue.prune_batches(now() + interval '61 minutes', 2)");
    CHECK(t.db.query("SELECT count(*) FROM queue.batches") == "2");
    t.db.execute("SELECT queue.prune_batches(now() + interval '61 minutes')");
    CHECK(t.db.query("SELECT count(*) FROM queue.batches") == "1");
    CHECK(t.db.query("SELECT (SELECT count(*) FROM queue.batch_part) + "
                     "(SELECT count(*) FROM queue.batch_failure)") == "0");
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs") == "3");
    // A dead letter may outlive its batch.
    t.db.execute("SELECT * FROM queue.replay($1::bigint[])", {list(jobs, 0, 3)});
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_tally") == "0");
}

TEST_CASE("bad arguments are named, nothing is made") {
    rig t;
    const auto says = [&](const std::string& call, const std::string& expected) {
        CAPTURE(call);
        CHECK_THROWS_WITH(t.db.execute("SELECT queue." + call),
                          doctest::Contains(expected.c_str()));
    };
    says("create_batch('')", "name: expected 1 to 200 characters, got 0");
    says("create_batch(repeat('n', 201))", "name: expected 1 to 200 characters, got 201");
    says("create_batch(on_success => 'No')", "on_success: expected a kind");
    says("create_batch(on_failure => '')", "on_failure: expected a kind");
    says("create_batch(on_finish => repeat('k', 65))", "on_finish: expected a kind");
    says("create_batch(on_finish => 'k', callback_queue => 'none')", "unknown queue 'none'");
    says("create_batch(payload => NULL)", "payload: expected JSON, got NULL");
    says("create_batch(on_finish => 'k', payload => to_jsonb(repeat('p', 1048576)))",
         "payload: expected at most 1048576 bytes");
    says("create_batch(callback_priority => 40000)", "callback_priority: expected");
    says("create_batch(retention => '-1 s')", "retention: expected 0 to 3650 days");
    CHECK(t.db.query("SELECT count(*) FROM queue.batch") == "0");
    for (const std::string call : {"seal_batch(7)", "cancel_batch(7)", "batch_items(7)",
                                   "batch_items(NULL)", "enqueue('noop', '{}', batch_id => 7)",
                                   "enqueue_many('noop', ARRAY['{}'::jsonb], batch_id => 7)"}) {
        says(call, "no batch");
    }
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs") == "0");
}

TEST_CASE("workers: a batch ends and calls back within moments of its last job") {
    rig t;
    auto options = t.options();
    options.heartbeat = 2s;
    options.lease = test::scaled(10s);
    const auto worker =
        t.start({noop(), saying("bad", libqueue::discard("no")), noop("done")}, options);
    REQUIRE(t.seen.wait_for(event_type::worker_ready));
    const auto batch = create(t, "on_finish => 'done'");
    add(t, batch, 300);
    add(t, batch, 7, "bad");
    t.db.execute("SELECT queue.seal_batch(1)");

    REQUIRE(t.seen.wait_for(event_type::batches_ended));
    REQUIRE(t.wait_finished(308));
    CHECK(counts(t, batch) == "PARTIAL_SUCCESS 307 300 7 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.batch_items(1, 'dead') WHERE error = 'no'") ==
          "7");
    const auto late = std::stod(t.db.query(
        "SELECT extract(epoch FROM b.finished_at - max(a.finished_at)) FROM queue.batch b, "
        "queue.attempt a JOIN queue.job j ON j.id = a.job_id WHERE j.meta ? 'batch_id' "
        "GROUP BY b.finished_at"));
    MESSAGE("ended " << late * 1000 << " ms after its last job");
    CHECK(late < 1.0);
}

TEST_CASE("workers: what a dead process left is folded by another's heartbeat") {
    rig t;
    const auto worker = t.start({noop("done")});
    REQUIRE(t.seen.wait_for(event_type::worker_ready));
    const auto batch = create(t, "on_finish => 'done'");
    const auto jobs = add(t, batch, 3);
    t.db.execute("SELECT queue.seal_batch(1)");
    REQUIRE(test::wait_until(
        [&] { return t.db.query("SELECT count(*) FROM queue.batch_tally") == "0"; }));
    finish(t, list(jobs, 0, 3), "completed");  // Nobody is told.
    REQUIRE(t.seen.wait_for(event_type::batches_ended));
    CHECK(counts(t, batch) == "COMPLETED 3 3 0 0");
}

TEST_CASE("workers: a large batch is cancelled while they run it, each item once") {
    rig t;
    std::vector<std::unique_ptr<libqueue::worker>> workers;
    for (int i = 0; i < 2; ++i) {
        workers.push_back(t.start({sleeper("slow", 20ms), noop("done")}));
    }
    const auto batch = create(t, "on_finish => 'done'");
    for (int i = 0; i < 4; ++i) {
        add(t, batch, 1500, "slow");
    }
    REQUIRE(test::wait_until(
        [&] { return t.db.query("SELECT processed > 20 FROM queue.batches") == "t"; }));
    t.db.execute("SELECT queue.cancel_batch(1, 'enough', '0')");
    REQUIRE(t.seen.wait_for(event_type::batches_ended));
    CHECK(t.db.query("SELECT total = 6000 AND succeeded + cancelled = 6000 AND failed = 0 "
                     "AND succeeded >= 20 AND cancelled > 0 FROM queue.batches") == "t");
    CHECK(t.db.query("SELECT count(*) = (SELECT succeeded FROM queue.batches) FROM queue.attempt a "
                     "JOIN queue.job j ON j.id = a.job_id "
                     "WHERE a.outcome = 'completed' AND j.meta ? 'batch_id'") == "t");
    REQUIRE(t.wait_finished(6001));
    CHECK(t.faults() == "");
}

TEST_SUITE_END();
