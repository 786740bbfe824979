#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::outcome;

TEST_SUITE_BEGIN("engine rescue");

namespace {

/// What a process that died while running all waiting jobs leaves behind. `times` losses before
/// this one are in the jobs' history.
void leave_corpse(const rig& t, int times = 0, bool with_row = true) {
    for (int n = 0; n < times; ++n) {
        t.db.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, "
            "outcome, attempt) SELECT id, nextval('queue.lease_id_seq'), now(), now(), run_at, "
            "'lost', 1 FROM queue.ready");
    }
    t.db.execute(
        "WITH dead AS (INSERT INTO queue.worker (beat_at, started_at, name, host, pid, version, "
        "queues, kinds, heartbeat_ms, lease_ms) VALUES (now(), now(), 'corpse', 'h', 1, '0', "
        "'{default}', '{}', 200, 600) RETURNING id), "
        "gone AS (DELETE FROM queue.ready RETURNING id, attempt) "
        "INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts) "
        "SELECT nextval('queue.lease_id_seq'), (SELECT id FROM dead), now(), array_agg(id), "
        "array_agg(attempt) FROM gone");
    if (!with_row) {
        t.db.execute("DELETE FROM queue.worker WHERE name = 'corpse'");
    }
}

/// A kind with its policy, published before any worker of it starts.
libqueue::registration with_policy(libqueue::on_lost policy, int budget = 3) {
    auto kind = noop("kept");
    kind.options.on_lost = policy;
    kind.options.crash_budget = budget;
    return kind;
}

/// The policy is known to the database from the last worker that handled the kind.
void publish(rig& t, const libqueue::registration& kind) {
    const auto worker = t.start({kind});
    REQUIRE(test::wait_until([&] { return worker->id() != 0; }));
    worker->stop();
}

}  // namespace

TEST_CASE("the jobs of a dead worker run again, the loss on record and no attempt used") {
    rig t;
    const auto ids = t.enqueue_many("kept", 20);
    leave_corpse(t);

    const auto worker = t.start({with_policy(libqueue::on_lost::retry)});

    REQUIRE(t.wait_finished(20));
    CHECK(t.outcomes(ids.front()) == "lost completed");
    CHECK(t.db.query("SELECT DISTINCT attempt FROM queue.attempt WHERE outcome = 'completed'") ==
          "1");
    CHECK(t.seen.count(event_type::jobs_rescued) == 1);
    CHECK(t.db.query("SELECT count(*) FROM queue.worker WHERE name = 'corpse'") == "0");
    CHECK(t.faults() == "");
}

TEST_CASE("leases whose worker row was removed by hand are found all the same") {
    rig t;
    const auto ids = t.enqueue_many("kept", 3);
    leave_corpse(t, 0, false);

    const auto worker = t.start({with_policy(libqueue::on_lost::retry)});

    REQUIRE(t.wait_finished(3));
    CHECK(t.outcomes(ids.back()) == "lost completed");
}

TEST_CASE("the crash budget: survived so many times, then one dead letter that says so") {
    rig t;
    const auto id = t.enqueue("kept");
    leave_corpse(t, 2);
    const auto worker = t.start({with_policy(libqueue::on_lost::retry, 2)});

    REQUIRE(t.wait_state(id, "dead"));

    CHECK(t.db.query("SELECT count(*) FROM queue.dead_letters") == "1");
    CHECK(t.db.query("SELECT jsonb_array_length(attempts) FROM queue.dead_letters") == "3");
    CHECK(t.db.query("SELECT reason <> '' FROM queue.dead_letters") == "t");
    CHECK(t.db.query("SELECT count(*) FROM queue.lease") == "0");
}

TEST_CASE("on_lost hold and dead: a dead letter at the first loss") {
    for (const auto policy : {libqueue::on_lost::hold, libqueue::on_lost::dead}) {
        CAPTURE(libqueue::to_string(policy));
        rig t;
        publish(t, with_policy(policy));
        const auto id = t.enqueue("kept");
        leave_corpse(t);

        const auto worker = t.start({with_policy(policy)});

        REQUIRE(t.wait_state(id, "dead"));
        CHECK(t.outcomes(id) == "lost");
    }
}

TEST_CASE("on_lost reconcile: the next run is the reconcile handler's, also after a second loss") {
    rig t;
    std::atomic<int> ran{0};
    auto kind = with_policy(libqueue::on_lost::reconcile);
    kind.handle = [&ran](job_context&) -> awaitable<outcome> {
        ++ran;
        co_return libqueue::completed("\"run\"");
    };
    kind.reconcile = [](job_context&) -> awaitable<outcome> {
        co_return libqueue::completed("\"reconciled\"");
    };
    publish(t, kind);
    const auto id = t.enqueue("kept");
    leave_corpse(t);
    {
        // A worker of another kind rescues it; nobody runs it yet.
        const auto rescuer = t.start({noop("other")});
        REQUIRE(test::wait_until(
            [&] { return t.db.query("SELECT bool_and(reconcile) FROM queue.ready") == "t"; }));
        rescuer->stop();
    }
    leave_corpse(t);

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(ran == 0);
    CHECK(t.outcomes(id) == "lost lost completed");
    CHECK(t.db.query("SELECT output FROM queue.jobs") == "\"reconciled\"");
}

TEST_CASE("a live worker with a long job is never rescued") {
    rig t;
    auto options = t.options();
    options.lease = 500ms;
    options.heartbeat = 100ms;
    const auto id = t.enqueue("long");

    const auto first = t.start({sleeper("long", test::scaled(2s))}, options);
    const auto second = t.start({sleeper("long", test::scaled(2s))}, options);

    REQUIRE(t.wait_state(id, "completed", 20s));
    CHECK(t.outcomes(id) == "completed");
    CHECK(t.seen.count(event_type::jobs_rescued) == 0);
}

TEST_CASE("two rescuers of one corpse: every job comes back once") {
    rig t;
    const auto ids = t.enqueue_many("kept", 300);
    leave_corpse(t);

    const auto first = t.start({with_policy(libqueue::on_lost::retry)});
    const auto second = t.start({with_policy(libqueue::on_lost::retry)});

    REQUIRE(t.wait_finished(300));
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'") == "300");
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'completed'") == "300");
    CHECK(t.faults() == "");
}

TEST_SUITE_END();
