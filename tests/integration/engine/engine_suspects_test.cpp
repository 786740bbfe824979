#include "rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::outcome;
using libqueue::suspect_policy;

TEST_SUITE_BEGIN("engine suspects");

namespace {

/// What a process that died while running all jobs in line leaves behind: a silent worker (or one
/// of which it is known how it died) and its lease.
void leave_corpse(const rig& t, const std::string& ended = "NULL") {
    t.db.execute(
        "WITH dead AS (INSERT INTO queue.worker (beat_at, started_at, name, host, pid, version, "
        "queues, kinds, heartbeat_ms, lease_ms, ended) VALUES (now(), now(), 'corpse', 'h', 1, "
        "'0', '{default}', '{}', 200, 600, " +
        ended +
        ") RETURNING id), gone AS (DELETE FROM queue.ready RETURNING id, attempt) "
        "INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts) "
        "SELECT nextval('queue.lease_id_seq'), (SELECT id FROM dead), now(), array_agg(id), "
        "array_agg(attempt) FROM gone");
}

/// Makes every job in line a suspect: a worker that handles none of them rescues them.
void make_suspects(rig& t, const std::string& ended = "NULL") {
    leave_corpse(t, ended);
    auto options = t.options();
    options.suspects = suspect_policy::leave;
    const auto rescuer = t.start({noop("nothing")}, options);
    REQUIRE(test::wait_until([&] {
        return t.db.query("SELECT count(*) FROM queue.lease") == "0" &&
               t.db.query("SELECT count(*) FROM queue.worker WHERE name = 'corpse'") == "0";
    }));
    rescuer->stop();
}

libqueue::registration limited(libqueue::registration made) {
    made.options.limit = "provider";
    return made;
}

/// Counts who runs beside whom.
class company {
   public:
    libqueue::registration kind(const std::string& name, bool suspect) {
        return coroutine(name, [this, suspect](job_context& context) -> awaitable<outcome> {
            ++running_;
            suspects_ += suspect ? 1 : 0;
            disturbed_ = disturbed_ || (suspects_ > 0 && running_ > 1);
            most_ = std::max(most_.load(), running_.load());
            static_cast<void>(co_await context.sleep(5ms));
            disturbed_ = disturbed_ || (suspects_ > 0 && running_ > 1);
            suspects_ -= suspect ? 1 : 0;
            --running_;
            co_return libqueue::completed();
        });
    }
    [[nodiscard]] bool disturbed() const { return disturbed_; }
    [[nodiscard]] int most() const { return most_; }

   private:
    std::atomic<int> running_{0};
    std::atomic<int> suspects_{0};
    std::atomic<int> most_{0};
    std::atomic<bool> disturbed_{false};
};

}  // namespace

TEST_CASE("jobs that lost their worker run one at a time, with nothing beside them") {
    rig t;
    t.enqueue_many("kept", 8);
    make_suspects(t);
    t.enqueue_many("other", 40);
    company who;

    const auto worker = t.start({who.kind("kept", true), who.kind("other", false)});

    REQUIRE(t.wait_finished(48));
    CHECK_FALSE(who.disturbed());
    CHECK(who.most() > 1);  // the others did run beside each other
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'") == "8");
    CHECK(t.faults() == "");
}

TEST_CASE("a job lost beside others is not charged, not even with a budget of nothing") {
    rig t;
    auto kind = noop("kept");
    kind.options.crash_budget = 0;
    const auto ids = t.enqueue_many("kept", 20);
    leave_corpse(t);

    const auto worker = t.start({kind});

    REQUIRE(t.wait_finished(20));
    CHECK(t.outcomes(ids.front()) == "lost completed");
    CHECK(t.db.query("SELECT count(*) FROM queue.dead_letters") == "0");
}

TEST_CASE("a job that loses a worker alone is charged, also with the loss before; so it dies") {
    rig t;
    auto kind = noop("kept");
    kind.options.crash_budget = 1;
    const auto id = t.enqueue("kept");
    make_suspects(t);
    leave_corpse(t, "'its process was killed by signal 11 (Segmentation fault)'");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(t.outcomes(id) == "lost lost");
    const std::string reason = t.db.query("SELECT reason FROM queue.dead_letters");
    CAPTURE(reason);
    CHECK(reason.find("2 of 1 allowed") != std::string::npos);
    CHECK(reason.find("killed by signal 11") != std::string::npos);
}

TEST_CASE("a run whose worker lived clears the job: its next loss is not charged") {
    rig t;
    auto kind = noop("kept");
    kind.options.crash_budget = 0;
    const auto id = t.enqueue("kept");
    make_suspects(t);
    t.db.execute(
        "WITH gone AS (DELETE FROM queue.ready RETURNING id, run_at, -line_id AS line) "
        "INSERT INTO queue.ready (id, run_at, line_id, attempt) SELECT id, run_at, line, 1 FROM "
        "gone");
    t.db.execute(
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, "
        "outcome, attempt) SELECT id, nextval('queue.lease_id_seq'), now(), now(), run_at, "
        "'failed', 1 FROM queue.ready");
    leave_corpse(t);

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "lost failed lost completed");
}

TEST_CASE("whose death was seen is rescued without waiting for the lease") {
    rig t;
    t.enqueue("kept");
    leave_corpse(t, "'its process was killed by signal 9 (Killed)'");
    t.db.execute("UPDATE queue.worker SET lease_ms = 3600000");

    const auto worker = t.start({noop("kept")});

    REQUIRE(t.wait_finished(1));
    CHECK(t.db.query("SELECT error FROM queue.attempt WHERE outcome = 'lost'")
              .find("killed by signal 9") != std::string::npos);
}

TEST_CASE("a worker that leaves suspects to others says so and runs the rest") {
    rig t;
    t.enqueue_many("kept", 2);
    make_suspects(t);
    t.enqueue("other");
    auto options = t.options();
    options.suspects = suspect_policy::leave;

    const auto worker = t.start({noop("kept"), noop("other")}, options);

    REQUIRE(t.seen.wait_for(event_type::suspects_waiting));
    REQUIRE(t.wait_finished(1));
    CHECK(t.db.query("SELECT count(*) FROM queue.ready WHERE line_id < 0") == "2");
}

TEST_CASE("a worker of nothing but suspects runs them, says when none is left, and no other job") {
    rig t;
    t.enqueue_many("kept", 3);
    make_suspects(t);
    t.enqueue("other");
    auto options = t.options();
    options.suspects = suspect_policy::only;

    const auto worker = t.start({noop("kept"), noop("other")}, options);

    REQUIRE(t.wait_finished(3));
    REQUIRE(t.seen.wait_for(event_type::suspects_cleared));
    CHECK(t.db.query("SELECT state FROM queue.jobs WHERE kind = 'other'") == "ready");
}

TEST_CASE("a stop holds back a suspect too, and the other jobs go on meanwhile") {
    rig t;
    const auto suspect = t.enqueue("call");
    t.db.execute(
        "SELECT queue.limit_set('provider', concurrency => 1);"
        "SELECT queue.limit_stop('provider');");
    make_suspects(t);
    auto options = t.options();
    options.suspects = libqueue::suspect_policy::alone;
    const auto worker = t.start({limited(noop("call")), noop("other")}, options);
    REQUIRE(t.wait_state(t.enqueue("other"), "completed"));
    CHECK(t.state(suspect) == "ready");

    t.db.execute("SELECT queue.limit_resume('provider')");

    // Looked for every 10 s while a limit holds some back.
    CHECK(t.wait_state(suspect, "completed", 20s));
}

TEST_CASE("a suspect that runs alone holds a slot of its limit") {
    rig t;
    std::atomic<bool> let_go{false};
    auto call = coroutine("call", [&](job_context& context) -> awaitable<outcome> {
        while (!let_go.load()) {
            static_cast<void>(co_await context.sleep(10ms));
        }
        co_return libqueue::completed();
    });
    t.db.execute("SELECT queue.limit_set('provider', concurrency => 1)");
    const auto suspect = t.enqueue("call");
    make_suspects(t);
    const auto first = t.start({limited(call)});
    REQUIRE(t.wait_state(suspect, "running"));

    CHECK(t.db.query("SELECT running FROM queue.limit_status") == "1");
    const auto second = t.start({limited(noop("call"))});
    const auto later = t.enqueue("call");
    REQUIRE(test::wait_until(
        [&] { return t.db.query("SELECT wanted_until > now() FROM queue.limit_rule") == "t"; }));
    CHECK(t.state(later) == "ready");
    let_go = true;
    CHECK(t.wait_state(suspect, "completed"));
    CHECK(t.wait_state(later, "completed"));
}

TEST_CASE("suspects in line are jobs like others: listed, counted, explained, cancelled, retried") {
    rig t;
    const auto ids = t.enqueue_many("kept", 2);
    make_suspects(t);

    CHECK(t.state(ids[0]) == "ready");
    CHECK(t.db.query("SELECT ready FROM queue.queue_stats WHERE queue = 'default'") == "2");
    CHECK(t.db.query("SELECT reason FROM queue.explain(" + std::to_string(ids[0]) + ")") ==
          "no live worker");
    CHECK(t.db.query("SELECT queue.cancel(" + std::to_string(ids[0]) + ")") == "t");
    CHECK(t.state(ids[0]) == "cancelled");
    t.db.execute("SELECT queue.retry(" + std::to_string(ids[1]) + ")");
    CHECK(t.db.query("SELECT count(*) FROM queue.ready WHERE line_id > 0") == "1");
    CHECK(t.state(ids[1]) == "ready");
}

TEST_SUITE_END();
