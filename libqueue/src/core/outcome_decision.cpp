#include "core/outcome_decision.hpp"

#include "core/limits.hpp"

#include <algorithm>

namespace libqueue::core {

namespace {

using verdict = outcome_decision::verdict;

// A reconcile run burns no attempt: the unknown run before it did.
int used_with(const run_report& run) noexcept {
    return run.reconcile_run ? run.attempt - 1 : run.attempt;
}

outcome_decision final_word(const run_report& run, verdict what) {
    outcome_decision decision{what};
    decision.attempts_used = used_with(run);
    return decision;
}

outcome_decision dead(const run_report& run, std::string reason) {
    outcome_decision decision = final_word(run, verdict::dead);
    decision.reason = std::move(reason);
    if (!run.message.empty()) {
        decision.reason += ": ";
        decision.reason += run.message;
    }
    return decision;
}

outcome_decision back_in_line(const run_report& run, int attempts_used, bool reconcile) {
    const auto wait = run.after ? *run.after : run.policy.delay(used_with(run), run.random01);
    outcome_decision decision{verdict::back_in_line};
    decision.delay = std::clamp(wait, std::chrono::milliseconds{0}, limits::delay_max);
    decision.attempts_used = attempts_used;
    decision.reconcile = reconcile;
    return decision;
}

outcome_decision after_unknown(const run_report& run) {
    if (!run.has_reconcile) {
        return dead(run, "unknown outcome, nobody to reconcile");
    }
    if (run.reconcile_run && used_with(run) >= run.max_attempts) {
        outcome_decision decision = dead(run, "outcome unknown");
        // Still open: should an operator replay it, it is looked at first and not run blindly.
        decision.reconcile = true;
        return decision;
    }
    return back_in_line(run, used_with(run), true);
}

outcome_decision after_retry(const run_report& run) {
    const int used = used_with(run);
    if (used >= run.max_attempts) {
        return dead(run, "attempts exhausted after " + std::to_string(used));
    }
    return back_in_line(run, used, false);
}

outcome_decision after_snooze(const run_report& run) {
    return back_in_line(run, run.attempt - 1, run.reconcile_run);
}

}  // namespace

outcome_decision decide_outcome(const run_report& run) {
    switch (run.reported) {
        case outcome::type::completed:
            return final_word(run, verdict::completed);
        case outcome::type::cancelled:
            return final_word(run, verdict::cancelled);
        case outcome::type::discard:
            return dead(run, "discarded");
        case outcome::type::unknown:
            return after_unknown(run);
        case outcome::type::retry:
            if (run.reconcile_run && run.thrown) {
                return after_unknown(run);
            }
            return run.cancel_requested ? final_word(run, verdict::cancelled) : after_retry(run);
        case outcome::type::snooze:
            if (run.cancel_requested && !run.reconcile_run) {
                return final_word(run, verdict::cancelled);
            }
            return after_snooze(run);
    }
    return dead(run, "outcome unknown");
}

}  // namespace libqueue::core
