// The cases that every processor goes through, with a real workerd and a real other side.
#include "processor_rig.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <exception>

using namespace std::chrono_literals;
using system_test::processor_rig;
using test::provider_fault;

namespace {

/// The fault is over as soon as an attempt has met it; what it left behind is put right by itself.
void survives(provider_fault fault) {
    processor_rig t;
    t.start();
    t.other->fail_with(fault);
    const auto job = t.enqueue(0);
    REQUIRE(t.was_tried(job));
    t.other->fail_with(provider_fault::none);

    CHECK_MESSAGE(t.reaches(job, "completed", 60s), t.value(job, "state || ' ' || last_error"));
    CHECK(t.effects(0) == 1);
}

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("it does its work once") {
    processor_rig t;
    t.start();
    const auto job = t.enqueue(0);
    const auto other = t.enqueue(1);

    CHECK_MESSAGE(t.reaches(job, "completed"), t.value(job, "last_error"));
    CHECK(t.reaches(other, "completed"));
    CHECK(t.effects(0) == 1);
    CHECK(t.effects(1) == 1);
}

TEST_CASE("lost reply: the effect is not made twice") {
    survives(provider_fault::lost_reply);
}

TEST_CASE("provider down: the job waits and is done later") {
    survives(provider_fault::down);
}

TEST_CASE("provider slow: the attempt ends by its timeout and the job is done later") {
    survives(provider_fault::slow);
}

TEST_CASE("crash between effect and finish: the next worker does not repeat it") {
    processor_rig t;
    test::process& dies = t.start("run.after=kill");
    const auto job = t.enqueue(0);
    REQUIRE(dies.wait(test::scaled(30s)).has_value());
    t.start();

    CHECK_MESSAGE(t.reaches(job, "completed", 60s), t.value(job, "state || ' ' || last_error"));
    CHECK(t.effects(0) == 1);
}

TEST_CASE("crash as the finish commits: the next worker does not repeat it") {
    for (const char* const point : {"finish.before_commit=kill", "finish.after_commit=kill"}) {
        CAPTURE(point);
        processor_rig t;
        test::process& dies = t.start(point);
        const auto job = t.enqueue(0);
        REQUIRE(dies.wait(test::scaled(30s)).has_value());
        t.start();

        CHECK_MESSAGE(t.reaches(job, "completed", 60s), t.value(job, "state || ' ' || last_error"));
        CHECK(t.effects(0) == 1);
    }
}

TEST_CASE(
    "duplicate delivery: a stopped worker that goes on after its job was rescued is refused") {
    processor_rig t;
    test::process& sleeper = t.start("run.after=stop");
    const auto job = t.enqueue(0);
    // Alone it would find nobody who takes it for dead.
    t.start();
    REQUIRE_MESSAGE(t.reaches(job, "completed", 60s), t.value(job, "state || ' ' || last_error"));
    sleeper.signal(SIGCONT);
    const auto later = t.enqueue(1);

    CHECK(t.reaches(later, "completed", 60s));
    CHECK(t.effects(0) == 1);
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE job_id = $1::bigint AND outcome = "
                     "'completed'",
                     {job}) == "1");
}

TEST_CASE("duplicate enqueue: the same key is the same job") {
    processor_rig t;
    t.start();
    const auto job = t.enqueue(0, "idempotency_key => 'business-0'");
    const auto again = t.enqueue(0, "idempotency_key => 'business-0'");

    CHECK(job == again);
    CHECK(t.reaches(job, "completed"));
    const auto after = t.enqueue(0, "idempotency_key => 'business-0'");
    CHECK(after == job);
    CHECK(t.effects(0) == 1);
}

TEST_CASE("cancel: a job that waits leaves no effect, one that runs ends soon") {
    processor_rig t;
    t.start();
    const auto waiting = t.enqueue(0, "delay => '1h'");
    t.db.execute("SELECT queue.cancel($1::bigint, 'test')", {waiting});
    t.other->fail_with(provider_fault::slow);
    const auto running = t.enqueue(1);
    REQUIRE(test::wait_until([&] { return t.state(running) != "ready"; }, test::scaled(30s)));
    try {
        t.db.execute("SELECT queue.cancel($1::bigint, 'test')", {running});
    } catch (const std::exception&) {
        // One that has no provider to be slow may have ended already.
        REQUIRE(t.state(running) == "completed");
    }
    t.other->fail_with(provider_fault::none);

    CHECK(t.reaches(waiting, "cancelled"));
    CHECK(test::wait_until(
        [&] {
            const auto state = t.state(running);
            return state == "cancelled" || state == "completed";
        },
        test::scaled(60s)));
    CHECK(t.effects(0) == 0);
    // Whoever says completed did it. Where doubt is reconciled, whoever says cancelled did not; a
    // mail may have gone out.
    const int done = t.effects(1);
    CHECK(done <= 1);
    CHECK((done == 1 || t.state(running) == "cancelled"));
    CHECK((done == 0 || t.state(running) == "completed" || !t.other->reconciles()));
}

TEST_CASE("bad payload: a dead letter at the first attempt, that says where, and no effect") {
    processor_rig t;
    t.start();
    const auto job = t.enqueue_payload(t.other->bad_payload());

    REQUIRE_MESSAGE(t.reaches(job, "dead"), t.value(job, "state"));
    CHECK(t.value(job, "attempt") == "1");
    CHECK(t.value(job, "last_error").find("payload") != std::string::npos);
    CHECK(t.other->effects() == 0);
}

TEST_CASE("replay from the dead letters: done once, however often it is replayed") {
    processor_rig t;
    t.start();
    t.other->fail_with(provider_fault::down);
    const auto job = t.enqueue(0, "max_attempts => 1");
    const bool dies = test::wait_until(
        [&] {
            const auto state = t.state(job);
            return state == "dead" || state == "completed";
        },
        test::scaled(30s));
    t.other->fail_with(provider_fault::none);
    // One whose effects are rows of the database has no provider that could be down.
    if (!dies || t.state(job) == "completed") {
        REQUIRE_FALSE(t.other->effects_sql().empty());
        return;
    }
    t.db.execute("SELECT queue.retry($1::bigint)", {job});

    CHECK_MESSAGE(t.reaches(job, "completed", 60s), t.value(job, "state || ' ' || last_error"));
    CHECK(t.effects(0) == 1);
}

TEST_CASE("then: what follows is enqueued with the finish") {
    processor_rig t;
    t.start();
    const std::string payload = t.other->payload(0);
    REQUIRE(payload.back() == '}');
    const std::string more = R"(, "then": [{"kind": "follow.up", "payload": {"n": 1}}]})";
    const auto job = t.enqueue_payload(payload.substr(0, payload.size() - 1) + more);

    REQUIRE_MESSAGE(t.reaches(job, "completed"), t.value(job, "last_error"));
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs WHERE kind = 'follow.up'") == "1");
    CHECK(t.effects(0) == 1);
}

TEST_SUITE_END();
