#include "core/outcome_decision.hpp"

#include "core/limits.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>

using libqueue::outcome;
using libqueue::core::decide_outcome;
using libqueue::core::outcome_decision;
using libqueue::core::run_report;
using verdict = outcome_decision::verdict;
using namespace std::chrono_literals;

namespace {

// The second of four attempts, fixed backoff of 3 s without jitter.
run_report report(outcome::type reported) {
    run_report run{reported};
    run.attempt = 2;
    run.max_attempts = 4;
    run.policy = libqueue::retry_policy{libqueue::backoff_strategy::linear, 3s, 60s, false};
    return run;
}

run_report reconcile_report(outcome::type reported) {
    run_report run = report(reported);
    run.has_reconcile = true;
    run.reconcile_run = true;
    return run;
}

}  // namespace

TEST_SUITE_BEGIN("outcome_decision");

TEST_CASE("outcome_decision: completed is final") {
    const outcome_decision decision = decide_outcome(report(outcome::type::completed));

    CHECK(decision.what == verdict::completed);
    CHECK(decision.attempts_used == 2);
}

TEST_CASE("outcome_decision: completed stays completed when a cancel came too late") {
    run_report run = report(outcome::type::completed);
    run.cancel_requested = true;

    CHECK(decide_outcome(run).what == verdict::completed);
}

TEST_CASE("outcome_decision: cancelled is final and no dead letter") {
    CHECK(decide_outcome(report(outcome::type::cancelled)).what == verdict::cancelled);
}

TEST_CASE("outcome_decision: discard is a dead letter with the handler's words") {
    run_report run = report(outcome::type::discard);
    run.message = "card declined";
    CHECK(decide_outcome(run).what == verdict::dead);
    CHECK(decide_outcome(run).reason == "discarded: card declined");

    run.message = {};
    run.cancel_requested = true;
    CHECK(decide_outcome(run).what == verdict::dead);
    CHECK(decide_outcome(run).reason == "discarded");
}

TEST_CASE("outcome_decision: retry goes back in line after the backoff of its failures") {
    const outcome_decision decision = decide_outcome(report(outcome::type::retry));

    CHECK(decision.what == verdict::back_in_line);
    CHECK(decision.delay == 6s);
    CHECK(decision.attempts_used == 2);
    CHECK_FALSE(decision.reconcile);
}

TEST_CASE("outcome_decision: the handler's own delay overrides the backoff") {
    run_report run = report(outcome::type::retry);
    run.after = 0ms;
    CHECK(decide_outcome(run).delay == 0ms);
    run.after = 17min;
    CHECK(decide_outcome(run).delay == 17min);
    run.after = -5s;
    CHECK(decide_outcome(run).delay == 0ms);
    run.after = std::chrono::milliseconds::max();
    CHECK(decide_outcome(run).delay == libqueue::limits::delay_max);
}

TEST_CASE("outcome_decision: the last attempt's retry is a dead letter") {
    run_report run = report(outcome::type::retry);
    run.attempt = 4;
    CHECK(decide_outcome(run).what == verdict::dead);
    CHECK(decide_outcome(run).reason == "attempts exhausted after 4");
    CHECK(decide_outcome(run).attempts_used == 4);

    run.message = "smtp: 451";
    run.after = 1s;
    CHECK(decide_outcome(run).reason == "attempts exhausted after 4: smtp: 451");

    run.attempt = 9;  // max_attempts was lowered meanwhile
    CHECK(decide_outcome(run).what == verdict::dead);
}

TEST_CASE("outcome_decision: snooze burns no attempt, not even the last") {
    run_report run = report(outcome::type::snooze);
    run.attempt = 4;
    run.after = 1h;
    const outcome_decision decision = decide_outcome(run);

    CHECK(decision.what == verdict::back_in_line);
    CHECK(decision.attempts_used == 3);
    CHECK(decision.delay == 1h);
}

TEST_CASE("outcome_decision: a requested cancel turns retry and snooze into cancelled") {
    for (const auto reported : {outcome::type::retry, outcome::type::snooze}) {
        run_report run = report(reported);
        run.cancel_requested = true;
        CHECK(decide_outcome(run).what == verdict::cancelled);
        run.attempt = 4;
        CHECK(decide_outcome(run).what == verdict::cancelled);
        run.thrown = true;
        CHECK(decide_outcome(run).what == verdict::cancelled);
    }
}

TEST_CASE("outcome_decision: unknown is never retried blindly") {
    run_report run = report(outcome::type::unknown);
    run.message = "timeout after POST";
    run.after = 1s;
    const outcome_decision decision = decide_outcome(run);

    CHECK(decision.what == verdict::dead);
    CHECK(decision.reason == "unknown outcome, nobody to reconcile: timeout after POST");
}

TEST_CASE("outcome_decision: unknown is reconciled after the backoff and burns its attempt") {
    run_report run = report(outcome::type::unknown);
    run.has_reconcile = true;
    const outcome_decision decision = decide_outcome(run);

    CHECK(decision.what == verdict::back_in_line);
    CHECK(decision.reconcile);
    CHECK(decision.delay == 6s);
    CHECK(decision.attempts_used == 2);
}

TEST_CASE("outcome_decision: a reconcile run dead for want of attempts is looked at after replay") {
    run_report run = reconcile_report(outcome::type::unknown);
    run.attempt = run.max_attempts + 1;
    const outcome_decision decision = decide_outcome(run);

    CHECK(decision.what == verdict::dead);
    CHECK(decision.reconcile);
}

TEST_CASE("outcome_decision: a cancel does not drop a payment that may have happened") {
    run_report run = report(outcome::type::unknown);
    run.has_reconcile = true;
    run.cancel_requested = true;
    CHECK(decide_outcome(run).what == verdict::back_in_line);
    CHECK(decide_outcome(run).reconcile);

    run_report again = reconcile_report(outcome::type::snooze);
    again.cancel_requested = true;
    again.after = 1s;
    CHECK(decide_outcome(again).what == verdict::back_in_line);
    CHECK(decide_outcome(again).reconcile);
}

TEST_CASE("outcome_decision: the last attempt is still reconciled, once") {
    run_report run = report(outcome::type::unknown);
    run.has_reconcile = true;
    run.attempt = 4;
    const outcome_decision first = decide_outcome(run);
    REQUIRE(first.what == verdict::back_in_line);
    CHECK(first.reconcile);
    CHECK(first.attempts_used == 4);

    run.reconcile_run = true;
    run.attempt = first.attempts_used + 1;
    const outcome_decision second = decide_outcome(run);
    CHECK(second.what == verdict::dead);
    CHECK(second.reason == "outcome unknown");
    CHECK(second.attempts_used == 4);
}

TEST_CASE("outcome_decision: a reconcile run that does not know burns nothing and asks again") {
    const outcome_decision decision = decide_outcome(reconcile_report(outcome::type::unknown));

    CHECK(decision.what == verdict::back_in_line);
    CHECK(decision.reconcile);
    CHECK(decision.attempts_used == 1);
    CHECK(decision.delay == 3s);
}

TEST_CASE("outcome_decision: a reconcile run that says retry allows an ordinary run") {
    run_report run = reconcile_report(outcome::type::retry);
    const outcome_decision decision = decide_outcome(run);
    CHECK(decision.what == verdict::back_in_line);
    CHECK_FALSE(decision.reconcile);
    CHECK(decision.attempts_used == 1);

    run.attempt = 5;
    CHECK(decide_outcome(run).what == verdict::dead);
    CHECK(decide_outcome(run).reason == "attempts exhausted after 4");

    run.cancel_requested = true;
    CHECK(decide_outcome(run).what == verdict::cancelled);
}

TEST_CASE("outcome_decision: a reconcile run that throws does not know") {
    run_report run = reconcile_report(outcome::type::retry);
    run.thrown = true;
    run.cancel_requested = true;
    CHECK(decide_outcome(run).what == verdict::back_in_line);
    CHECK(decide_outcome(run).reconcile);

    run.attempt = 5;
    CHECK(decide_outcome(run).what == verdict::dead);
    CHECK(decide_outcome(run).reason == "outcome unknown");
}

TEST_CASE("outcome_decision: a reconcile run may find the job completed or hopeless") {
    CHECK(decide_outcome(reconcile_report(outcome::type::completed)).what == verdict::completed);
    CHECK(decide_outcome(reconcile_report(outcome::type::completed)).attempts_used == 1);
    CHECK(decide_outcome(reconcile_report(outcome::type::discard)).what == verdict::dead);
}

// Plays random handlers against the decision, as the engine would, and holds what is promised.
TEST_CASE("outcome_decision: no history runs too often or repeats an open effect") {
    constexpr unsigned seed = 42;
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto one_in = [&](int n) {
        return std::uniform_int_distribution<>{1, n}(random) == 1;
    };
    constexpr outcome::type all[] = {outcome::type::retry,   outcome::type::snooze,
                                     outcome::type::unknown, outcome::type::retry,
                                     outcome::type::unknown, outcome::type::completed};

    for (int history = 0; history < 2'000; ++history) {
        run_report run{outcome::type::retry};
        run.max_attempts = std::uniform_int_distribution<>{1, 6}(random);
        run.has_reconcile = one_in(2);
        int burnt = 0;
        bool open = false;  // an effect may have happened
        for (int step = 0; step < 200; ++step) {
            run.reported = all[std::uniform_int_distribution<std::size_t>{0, 5}(random)];
            run.thrown = run.reported == outcome::type::retry && one_in(3);
            run.cancel_requested = one_in(20);
            run.random01 = std::uniform_real_distribution<>{}(random);
            const outcome_decision decision = decide_outcome(run);

            const bool burns = !run.reconcile_run && run.reported != outcome::type::snooze;
            burnt += burns ? 1 : 0;
            if (run.reconcile_run) {
                open = run.reported == outcome::type::unknown || run.thrown ||
                       run.reported == outcome::type::snooze;
            } else {
                open = run.reported == outcome::type::unknown;
            }
            REQUIRE(burnt <= run.max_attempts);
            if (decision.what != verdict::back_in_line) {
                const bool honest = !open || decision.what == verdict::dead;
                REQUIRE(honest);
                break;
            }
            REQUIRE(decision.reconcile == open);
            REQUIRE(decision.attempts_used == burnt);
            REQUIRE(decision.delay >= 0ms);
            run.reconcile_run = decision.reconcile;
            run.attempt = decision.attempts_used + 1;
        }
    }
}

TEST_SUITE_END();
