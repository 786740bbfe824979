#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

TEST_SUITE_BEGIN("worker outcomes");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::outcome;

TEST_CASE("completed: the output is stored and the job leaves the line for ever") {
    rig t;
    const auto id = t.enqueue("answer", R"({"q": 1})");

    const auto worker = t.start({saying("answer", libqueue::completed(R"({"a": [1, "two"]})"))});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.db.query("SELECT output FROM queue.jobs WHERE id = $1", {std::to_string(id)}) ==
          R"({"a": [1, "two"]})");
    CHECK(t.db.query("SELECT attempt FROM queue.jobs WHERE id = $1", {std::to_string(id)}) == "1");
    CHECK(t.outcomes(id) == "completed");
    CHECK(t.faults() == "");
}

TEST_CASE("the handler sees the job as it was enqueued") {
    rig t;
    std::optional<libqueue::job> got;
    std::string key;
    std::string trace;
    const auto id = t.enqueue("look", R"({"x": 7})",
                              "priority => 3, idempotency_key => 'k-1', traceparent => 'tp', "
                              "tenant_id => '00000000-0000-0000-0000-00000000000a'");

    const auto worker = t.start({coroutine("look", [&](job_context& context) -> awaitable<outcome> {
        got = context.job();
        key = context.idempotency_key();
        trace = context.traceparent();
        co_return libqueue::completed();
    })});

    REQUIRE(t.wait_state(id, "completed"));
    worker->stop();
    REQUIRE(got.has_value());
    CHECK(got->id == id);
    CHECK(got->payload == R"({"x": 7})");
    CHECK(got->priority == 3);
    CHECK(got->attempt == 1);
    CHECK(got->max_attempts == 4);
    CHECK(got->queue == "default");
    CHECK(got->kind == "look");
    CHECK_FALSE(got->reconcile);
    CHECK(got->tenant_id == "00000000-0000-0000-0000-00000000000a");
    CHECK(key == "k-1");
    CHECK(trace == "tp");
    const auto age = std::chrono::system_clock::now() - got->created_at;
    CHECK(age > 0s);
    CHECK(age < 60s);
}

TEST_CASE("retry: runs again after the backoff, not earlier, and then completes") {
    rig t;
    auto kind = coroutine("flaky", [](job_context& context) -> awaitable<outcome> {
        co_return context.job().attempt < 3 ? libqueue::retry("not yet") : libqueue::completed();
    });
    kind.options.retry =
        libqueue::retry_policy{libqueue::backoff_strategy::fixed, 300ms, 300ms, false};
    const auto id = t.enqueue("flaky");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "failed failed completed");
    // On time as well: a sleeping worker knows of its own retries.
    const auto gaps = t.db.rows(
        "SELECT extract(epoch FROM started_at - lag(finished_at) OVER (ORDER BY lease_id)) * 1000 "
        "FROM queue.attempt WHERE job_id = $1 ORDER BY lease_id",
        {std::to_string(id)});
    for (std::size_t at = 1; at < gaps.size(); ++at) {
        CHECK(std::stod(gaps[at].at(0).value()) >= 299);
        CHECK(std::stod(gaps[at].at(0).value()) < 300 + test::scaled(150ms).count());
    }
    CHECK(t.db.query("SELECT string_agg(error, '|') FROM queue.attempt WHERE job_id = $1",
                     {std::to_string(id)}) == "not yet|not yet");
    CHECK(t.faults() == "");
}

TEST_CASE("retry_after: the handler's own time goes before the backoff") {
    rig t;
    auto kind = coroutine("later", [](job_context& context) -> awaitable<outcome> {
        co_return context.job().attempt == 1 ? libqueue::retry_after(200ms, "busy")
                                             : libqueue::completed();
    });
    kind.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed, 1h, 1h, false};
    const auto id = t.enqueue("later");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "failed completed");
}

TEST_CASE("snooze: burns no attempt, however often") {
    rig t;
    std::atomic<int> runs{0};
    std::atomic<int> attempt{0};
    const auto id = t.enqueue("waits", "{}", "max_attempts => 1");

    const auto worker =
        t.start({coroutine("waits", [&](job_context& context) -> awaitable<outcome> {
            attempt = context.job().attempt;
            co_return ++runs < 6 ? libqueue::snooze(10ms, "not open") : libqueue::completed();
        })});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(runs == 6);
    CHECK(attempt == 1);
    CHECK(t.outcomes(id) == "snoozed snoozed snoozed snoozed snoozed completed");
    CHECK(t.faults() == "");
}

TEST_CASE("discard: straight to the dead letters, with its reason") {
    rig t;
    const auto id = t.enqueue("bad");

    const auto worker = t.start({saying("bad", libqueue::discard("no such customer"))});

    REQUIRE(t.wait_state(id, "dead"));
    REQUIRE(t.seen.wait_for(event_type::job_dead));
    CHECK(t.outcomes(id) == "discarded");
    const auto letter =
        t.db.rows("SELECT reason, error, attempt FROM queue.dead_letters WHERE id = $1",
                  {std::to_string(id)});
    REQUIRE(letter.size() == 1);
    CHECK(letter[0].at(0) == "discarded: no such customer");
    CHECK(letter[0].at(1) == "no such customer");
    CHECK(t.faults() == "");
}

TEST_CASE("attempts used up: one dead letter that holds every attempt") {
    rig t;
    const auto id = t.enqueue("hopeless", "{}", "max_attempts => 3");

    const auto worker =
        t.start({coroutine("hopeless", [](job_context& context) -> awaitable<outcome> {
            co_return libqueue::retry("try " + std::to_string(context.job().attempt));
        })});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(t.outcomes(id) == "failed failed failed");
    const auto letter = t.db.rows(
        "SELECT attempt, reason, jsonb_array_length(attempts), attempts -> 0 ->> 'error', "
        "attempts -> 2 ->> 'error' FROM queue.dead_letters WHERE id = $1",
        {std::to_string(id)});
    REQUIRE(letter.size() == 1);
    CHECK(letter[0].at(0) == "3");
    CHECK(letter[0].at(1) == "attempts exhausted after 3: try 3");
    CHECK(letter[0].at(2) == "3");
    CHECK(letter[0].at(3) == "try 1");
    CHECK(letter[0].at(4) == "try 3");
    CHECK(t.faults() == "");
}

TEST_CASE("cancelled by the handler itself: final, and no dead letter") {
    rig t;
    const auto id = t.enqueue("gone");

    const auto worker = t.start({saying("gone", libqueue::cancelled("nobody wants it"))});

    REQUIRE(t.wait_state(id, "cancelled"));
    CHECK(t.outcomes(id) == "cancelled");
    CHECK(t.db.query("SELECT count(*) FROM queue.dead_letters") == "0");
    CHECK(t.faults() == "");
}

TEST_CASE("a handler that throws has said retry with the exception's text") {
    rig t;
    auto one = coroutine("throws", [](job_context& context) -> awaitable<outcome> {
        if (context.job().attempt == 1) {
            throw std::runtime_error{"boom"};
        }
        co_return libqueue::completed();
    });
    auto two = blocking("throws.blocking", [](job_context& context) -> outcome {
        if (context.job().attempt == 1) {
            throw 42;
        }
        return libqueue::completed();
    });
    const auto first = t.enqueue("throws");
    const auto second = t.enqueue("throws.blocking");

    const auto worker = t.start({one, two});

    REQUIRE(t.wait_state(first, "completed"));
    REQUIRE(t.wait_state(second, "completed"));
    CHECK(t.outcomes(first) == "failed completed");
    CHECK(t.outcomes(second) == "failed completed");
    const std::string error = "SELECT max(error) FROM queue.attempt WHERE job_id = $1";
    CHECK(t.db.query(error, {std::to_string(first)}) == "boom");
    CHECK(t.db.query(error, {std::to_string(second)}).find("not a std::exception") !=
          std::string::npos);
    CHECK(t.faults() == "");
}

TEST_CASE("a coroutine that throws synchronously, before its first suspension, is no different") {
    rig t;
    libqueue::registration kind{"early"};
    kind.handle = [](job_context&) -> awaitable<outcome> {
        throw std::runtime_error{"early"};
    };
    kind.options.max_attempts = 1;
    const auto id = t.enqueue("early", "{}", "max_attempts => 1");

    const auto worker = t.start({kind, noop()});

    REQUIRE(t.wait_state(id, "dead"));
    const auto next = t.enqueue("noop");
    CHECK(t.wait_state(next, "completed"));
}

namespace {

/// A kind whose every run but a reconcile run says unknown.
libqueue::registration open_effect(libqueue::coroutine_handler reconcile) {
    auto kind = saying("pay", libqueue::unknown("connection reset after sending"));
    kind.reconcile = std::move(reconcile);
    return kind;
}

}  // namespace

TEST_CASE("unknown: the reconcile handler runs next, and completed settles it") {
    rig t;
    std::atomic<bool> flagged{false};
    const auto id = t.enqueue("pay");

    const auto worker = t.start({open_effect([&](job_context& context) -> awaitable<outcome> {
        flagged = context.job().reconcile;
        co_return libqueue::completed(R"({"found": true})");
    })});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(flagged);
    CHECK(t.outcomes(id) == "unknown completed");
    CHECK(t.faults() == "");
}

TEST_CASE("unknown: reconcile says retry, so the handler runs again") {
    rig t;
    std::atomic<int> handled{0};
    std::atomic<int> reconciled{0};
    auto kind = coroutine("pay", [&](job_context&) -> awaitable<outcome> {
        co_return ++handled == 1 ? libqueue::unknown("reset") : libqueue::completed();
    });
    kind.reconcile = [&](job_context&) -> awaitable<outcome> {
        ++reconciled;
        co_return libqueue::retry("it never happened");
    };
    const auto id = t.enqueue("pay");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(handled == 2);
    CHECK(reconciled == 1);
    CHECK(t.outcomes(id) == "unknown failed completed");
    CHECK(t.faults() == "");
}

TEST_CASE("unknown: reconcile snoozes and is asked again, the handler is not") {
    rig t;
    std::atomic<int> reconciled{0};
    const auto id = t.enqueue("pay", "{}", "max_attempts => 1");

    const auto worker = t.start({open_effect([&](job_context&) -> awaitable<outcome> {
        co_return ++reconciled < 3 ? libqueue::snooze(10ms) : libqueue::completed();
    })});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(reconciled == 3);
    CHECK(t.outcomes(id) == "unknown unknown unknown completed");
}

TEST_CASE("unknown: reconcile throws and is asked again, the handler is not") {
    rig t;
    std::atomic<int> reconciled{0};
    const auto id = t.enqueue("pay");

    const auto worker = t.start({open_effect([&](job_context&) -> awaitable<outcome> {
        if (++reconciled < 3) {
            throw std::runtime_error{"provider away"};
        }
        co_return libqueue::completed();
    })});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(reconciled == 3);
    CHECK(t.outcomes(id) == "unknown unknown unknown completed");
}

TEST_CASE("unknown: reconcile discards, so the job is a dead letter") {
    rig t;
    const auto id = t.enqueue("pay");

    const auto worker = t.start({open_effect([](job_context&) -> awaitable<outcome> {
        co_return libqueue::discard("refused by the bank");
    })});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(t.outcomes(id) == "unknown discarded");
    CHECK(t.faults() == "");
}

TEST_CASE("unknown: reconcile cancels, which is final") {
    rig t;
    const auto id = t.enqueue("pay");

    const auto worker = t.start({open_effect(
        [](job_context&) -> awaitable<outcome> { co_return libqueue::cancelled("reversed"); })});

    REQUIRE(t.wait_state(id, "cancelled"));
    CHECK(t.outcomes(id) == "unknown cancelled");
}

TEST_CASE("unknown: a reconcile that never knows ends as a dead letter, the handler ran once") {
    rig t;
    std::atomic<int> handled{0};
    auto kind = coroutine("pay", [&](job_context&) -> awaitable<outcome> {
        ++handled;
        co_return libqueue::unknown("reset");
    });
    kind.reconcile = [](job_context&) -> awaitable<outcome> {
        co_return libqueue::unknown("still nobody knows");
    };
    const auto id = t.enqueue("pay", "{}", "max_attempts => 1");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(handled == 1);
    CHECK(t.outcomes(id) == "unknown unknown");
    CHECK(t.db.query("SELECT reason FROM queue.dead_letters").starts_with("outcome unknown"));
    CHECK(t.faults() == "");
}

TEST_CASE("unknown without a reconcile handler is a dead letter at once, never a second try") {
    rig t;
    const auto id = t.enqueue("pay");

    const auto worker = t.start({saying("pay", libqueue::unknown("reset"))});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(t.outcomes(id) == "unknown");
    CHECK(t.db.query("SELECT reason FROM queue.dead_letters")
              .starts_with("unknown outcome, nobody to reconcile"));
    CHECK(t.faults() == "");
}

TEST_CASE("a cancel does not hide an open effect: reconcile still runs") {
    rig t;
    std::atomic<bool> go{false};
    std::atomic<int> reconciled{0};
    auto kind = coroutine("pay", [&](job_context& context) -> awaitable<outcome> {
        while (!go) {
            // Deaf to the cancel: the money is on its way.
            boost::asio::steady_timer nap{context.executor(), 5ms};
            co_await nap.async_wait(boost::asio::use_awaitable);
        }
        co_return libqueue::unknown("reset");
    });
    kind.reconcile = [&](job_context&) -> awaitable<outcome> {
        ++reconciled;
        co_return libqueue::completed();
    };
    const auto id = t.enqueue("pay");
    const auto worker = t.start({kind});
    REQUIRE(t.seen.wait_for(event_type::job_started));

    CHECK(t.db.query("SELECT queue.cancel($1)", {std::to_string(id)}) == "f");
    REQUIRE(t.seen.wait_for(event_type::job_cancel_asked));
    go = true;

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(reconciled == 1);
    CHECK(t.outcomes(id) == "unknown completed");
}

TEST_CASE("an open effect is not forgotten over cancel and retry of the waiting job") {
    rig t;
    std::atomic<int> handled{0};
    std::atomic<int> reconciled{0};
    auto kind = coroutine("pay", [&](job_context&) -> awaitable<outcome> {
        ++handled;
        co_return libqueue::unknown("reset");
    });
    kind.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed, 1h, 1h, false};
    kind.reconcile = [&](job_context&) -> awaitable<outcome> {
        ++reconciled;
        co_return libqueue::completed();
    };
    const auto id = t.enqueue("pay");
    const auto worker = t.start({kind});
    REQUIRE(t.wait_state(id, "retrying"));

    CHECK(t.db.query("SELECT queue.cancel($1)", {std::to_string(id)}) == "t");
    CHECK(t.state(id) == "cancelled");
    t.db.execute("SELECT queue.retry($1)", {std::to_string(id)});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(handled == 1);
    CHECK(reconciled == 1);
}

TEST_CASE("the blocking handlers of a kind may reconcile, too") {
    rig t;
    auto kind = blocking("pay", [](job_context&) -> outcome { return libqueue::unknown("reset"); });
    kind.reconcile_blocking = [](job_context& context) -> outcome {
        return context.job().reconcile ? libqueue::completed() : libqueue::discard("not flagged");
    };
    const auto id = t.enqueue("pay");

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
}

TEST_CASE("events: a job's life is told once each, in order") {
    rig t;
    const auto id = t.enqueue("noop");

    const auto worker = t.start({noop()});

    REQUIRE(t.wait_state(id, "completed"));
    worker->stop();
    std::vector<event_type> story;
    for (const auto& e : t.seen.events()) {
        // The tests' server does not wait for the disk, which is warned of; turns are counted, and
        // the audit's head is told, whatever the job does.
        if (e.type != event_type::server_unsafe && e.type != event_type::jobs_claimed &&
            e.type != event_type::audit_anchor) {
            story.push_back(e.type);
        }
        if (e.type == event_type::job_finished) {
            CHECK(e.job->id == id);
            CHECK(e.outcome == outcome::type::completed);
        }
    }
    const std::vector<event_type> expected{event_type::worker_started,  event_type::worker_ready,
                                           event_type::job_started,     event_type::job_finished,
                                           event_type::worker_draining, event_type::worker_stopped};
    CHECK(story == expected);
}

TEST_SUITE_END();
