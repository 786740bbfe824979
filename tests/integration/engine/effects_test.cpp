#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::effect_state;
using libqueue::errc;
using libqueue::job_context;
using libqueue::outcome;

TEST_SUITE_BEGIN("effects");

namespace {

std::string ledger(const rig& t) {
    return t.db.query(
        "SELECT string_agg(step || ' ' || state || ' ' || key || coalesce(' ' || result::text, ''),"
        " '; ' ORDER BY job_id, step) FROM queue.effects");
}

/// Begins an effect and leaves it open, ending as `how` says.
outcome leave_open(job_context& context, const std::string& how) {
    const auto effect = context.begin_effect_blocking("charge").value();
    if (effect.state() != effect_state::begun) {
        return libqueue::discard("expected it begun");
    }
    if (how == "throw") {
        throw std::runtime_error{"thrown"};
    }
    if (how == "discard") {
        return libqueue::discard("no");
    }
    if (how == "cancelled") {
        return libqueue::cancelled();
    }
    if (how == "snooze") {
        return libqueue::snooze(0ms);
    }
    if (how == "timeout") {
        while (!context.stop_requested()) {
        }
    }
    return libqueue::retry("failed");
}

}  // namespace

TEST_CASE("an effect is committed once; later runs are told what it gave") {
    for (const bool is_blocking : {false, true}) {
        CAPTURE(is_blocking);
        rig t;
        const auto id = t.enqueue("pay", "{}", "idempotency_key => 'order-7'");
        std::atomic<int> calls{0};
        auto kind = is_blocking
                        ? blocking("pay",
                                   [&calls](job_context& context) -> outcome {
                                       auto effect =
                                           context.begin_effect_blocking("charge").value();
                                       if (effect.state() == effect_state::committed) {
                                           return libqueue::completed(*effect.output());
                                       }
                                       ++calls;
                                       effect.commit_blocking(R"({"id": "ch_1"})").value();
                                       return libqueue::retry("after it");
                                   })
                        : coroutine("pay", [&calls](job_context& context) -> awaitable<outcome> {
                              auto effect = co_await context.begin_effect("charge");
                              if (effect->state() == effect_state::committed) {
                                  co_return libqueue::completed(*effect->output());
                              }
                              ++calls;
                              const auto kept = co_await effect->commit(R"({"id": "ch_1"})");
                              co_return kept.has_value() ? libqueue::retry("after it")
                                                         : libqueue::discard("refused");
                          });

        const auto worker = t.start({kind});

        REQUIRE(t.wait_state(id, "completed"));
        CHECK(calls == 1);
        CHECK(t.outcomes(id) == "failed completed");
        CHECK(ledger(t) == R"(charge committed order-7:charge {"id": "ch_1"})");
        CHECK(t.db.query("SELECT output FROM queue.jobs") == R"({"id": "ch_1"})");
    }
}

TEST_CASE("an abandoned effect may be begun again") {
    rig t;
    const auto id = t.enqueue("pay");
    std::atomic<int> begun{0};
    auto kind = coroutine("pay", [&begun](job_context& context) -> awaitable<outcome> {
        auto effect = co_await context.begin_effect("charge");
        begun += effect->state() == effect_state::begun ? 1 : 0;
        if (begun == 1) {
            const auto abandoned = co_await effect->abandon();
            co_return abandoned.has_value() ? libqueue::retry("refused") : libqueue::discard("");
        }
        const auto committed = co_await effect->commit();
        co_return committed.has_value() ? libqueue::completed() : libqueue::discard("");
    });

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(begun == 2);
    CHECK(t.outcomes(id) == "failed completed");
    CHECK(ledger(t) == "charge committed job:" + std::to_string(id) + ":charge");
}

TEST_CASE("a run that ends with an open effect is unknown: the next is the reconcile handler's") {
    for (const std::string how : {"retry", "throw", "discard", "cancelled", "snooze", "timeout"}) {
        CAPTURE(how);
        rig t;
        const auto id = t.enqueue("pay");
        std::atomic<int> ordinary{0};
        auto kind = blocking("pay", [&](job_context& context) -> outcome {
            ++ordinary;
            return leave_open(context, how);
        });
        kind.options.timeout = how == "timeout" ? 50ms : 60s;
        kind.reconcile_blocking = [](job_context& context) -> outcome {
            auto effect = context.begin_effect_blocking("charge").value();
            if (effect.state() != effect_state::unknown) {
                return libqueue::discard("expected it unknown");
            }
            effect.resolve_blocking(true, "1").value();
            return libqueue::completed("\"reconciled\"");
        };

        const auto worker = t.start({kind});

        REQUIRE(t.wait_state(id, "completed"));
        CHECK(ordinary == 1);
        CHECK(t.outcomes(id) == "unknown completed");
        CHECK(ledger(t) == "charge committed job:" + std::to_string(id) + ":charge 1");
    }
}

TEST_CASE("what did not happen is done again by an ordinary run, once that is known") {
    rig t;
    const auto id = t.enqueue("pay");
    std::atomic<int> calls{0};
    std::atomic<int> asked{0};
    auto kind = coroutine("pay", [&](job_context& context) -> awaitable<outcome> {
        auto effect = co_await context.begin_effect("charge");
        if (++calls == 1) {
            co_return libqueue::retry("the answer was lost");
        }
        const auto kept = co_await effect->commit();
        co_return kept.has_value() ? libqueue::completed() : libqueue::discard("refused");
    });
    kind.reconcile = [&](job_context& context) -> awaitable<outcome> {
        auto effect = co_await context.begin_effect("charge");
        // Not found out yet: a retry is not believed while the effect is open.
        if (++asked == 1) {
            co_return libqueue::retry("the provider is away");
        }
        const auto resolved = co_await effect->resolve(false);
        co_return resolved.has_value() ? libqueue::retry("it did not happen")
                                       : libqueue::discard("refused");
    };

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(calls == 2);
    CHECK(asked == 2);
    CHECK(t.outcomes(id) == "unknown unknown failed completed");
}

TEST_CASE("without a reconcile handler an open effect is a dead letter") {
    rig t;
    const auto id = t.enqueue("pay");
    auto kind = blocking("pay", [](job_context& context) { return leave_open(context, "retry"); });

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(t.db.query("SELECT reason FROM queue.dead_letters") ==
          "unknown outcome, nobody to reconcile: effect charge was begun and not ended: failed");
}

TEST_CASE("a lost worker with an open effect: reconciled, though the kind is simply retried") {
    rig t;
    const auto open = t.enqueue("pay");
    const auto done = t.enqueue("pay");
    const auto plain = t.enqueue("pay");
    t.db.execute(
        "WITH dead AS (INSERT INTO queue.worker (beat_at, started_at, name, host, pid, version, "
        "queues, kinds, heartbeat_ms, lease_ms) VALUES (now(), now(), 'corpse', 'h', 1, '0', "
        "'{default}', '{}', 200, 600) RETURNING id), "
        "gone AS (DELETE FROM queue.ready RETURNING id, attempt) "
        "INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts) "
        "SELECT nextval('queue.lease_id_seq'), (SELECT id FROM dead), now(), array_agg(id), "
        "array_agg(attempt) FROM gone");
    const std::string lease = t.db.query("SELECT id FROM queue.lease");
    for (const auto id : {open, done}) {
        REQUIRE(t.db.query("SELECT state FROM queue.effect_begin($1, $2, 'charge')",
                           {std::to_string(id), lease}) == "begun");
    }
    t.db.execute("SELECT queue.effect_commit($1, $2, 'charge')", {std::to_string(done), lease});
    auto kind = saying("pay", libqueue::completed("\"run\""));
    kind.reconcile = [](job_context&) -> awaitable<outcome> {
        co_return libqueue::completed("\"reconciled\"");
    };

    const auto worker = t.start({kind});

    REQUIRE(t.wait_finished(3));
    const auto output = [&](libqueue::job_id id) {
        return t.db.query("SELECT output FROM queue.jobs WHERE id = $1", {std::to_string(id)});
    };
    CHECK(output(open) == "\"reconciled\"");
    CHECK(output(done) == "\"run\"");
    CHECK(output(plain) == "\"run\"");
}

TEST_CASE("one key, two jobs: the second waits, and then learns what the first did") {
    rig t;
    const auto first = t.enqueue("pay");
    std::atomic<bool> go_on{false};
    std::atomic<int> conflicts{0};
    std::atomic<int> calls{0};
    auto kind = coroutine("pay", [&](job_context& context) -> awaitable<outcome> {
        auto effect = co_await context.begin_effect("charge", "invoice-9");
        if (effect.has_error()) {
            conflicts += effect.error().code == errc::conflict ? 1 : 0;
            co_return libqueue::retry_after(20ms, effect.error().message);
        }
        if (effect->state() == effect_state::committed) {
            co_return libqueue::completed(*effect->output());
        }
        ++calls;
        while (!go_on) {
            const bool whole = co_await context.sleep(5ms);
            if (!whole) {
                co_return libqueue::retry("told to stop");
            }
        }
        const auto kept = co_await effect->commit("\"paid\"");
        co_return kept.has_value() ? libqueue::completed() : libqueue::discard("refused");
    });
    const auto worker = t.start({kind});
    REQUIRE(test::wait_until([&] { return calls == 1; }));
    const auto second = t.enqueue("pay", "{}", "max_attempts => 1000");

    REQUIRE(test::wait_until([&] { return conflicts >= 1; }));
    go_on = true;

    REQUIRE(t.wait_state(first, "completed"));
    REQUIRE(t.wait_state(second, "completed"));
    CHECK(calls == 1);
    CHECK(t.db.query("SELECT output FROM queue.jobs WHERE id = $1", {std::to_string(second)}) ==
          "\"paid\"");
}

TEST_CASE("an answer that comes after the lease was lost is recorded, until another decides") {
    rig t;
    const auto id = t.enqueue("pay");
    std::atomic<int> said{0};
    auto kind = coroutine("pay", [&](job_context& context) -> awaitable<outcome> {
        auto charge = co_await context.begin_effect("charge");
        auto refund = co_await context.begin_effect("refund");
        t.db.execute("UPDATE queue.lease SET worker_id = -1, job_ids = '{}', attempts = '{}'");
        // As another run does that finds out before our answer comes.
        t.db.execute(
            "UPDATE queue.effect SET lease_id = lease_id + 1, state = 'abandoned', "
            "ended_at = now() WHERE step = 'refund'");
        const auto begun = co_await context.begin_effect("third");
        const auto kept = co_await charge->commit("1");
        const auto late = co_await refund->commit("2");
        said = (begun.has_error() && begun.error().code == errc::lease_lost ? 1 : 0) +
               (kept.has_value() ? 2 : 0) +
               (late.has_error() && late.error().code == errc::lease_lost ? 4 : 0);
        co_return libqueue::completed();
    });
    const auto worker = t.start({kind});

    CHECK(test::wait_until([&] { return said != 0; }));
    CHECK(said == 7);
    const std::string key = "job:" + std::to_string(id) + ":";
    CHECK(ledger(t) == "charge committed " + key + "charge 1; refund abandoned " + key + "refund");
}

TEST_SUITE_END();
