#pragma once

#include <libqueue/backoff.hpp>
#include <libqueue/outcome.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

/// What is recorded about a finished run: the one place that knows what "retryable" means. Pure.
namespace libqueue::core {

/// What a handler reported and what is known about the job.
class run_report {
   public:
    explicit run_report(outcome::type reported_) noexcept : reported{reported_} {}

    outcome::type reported;
    /// The handler threw: `reported` is retry and `message` the exception's text. In a reconcile
    /// run this does not mean "did not happen, run it again" but "still not known".
    bool thrown{false};
    std::string_view message;  ///< must outlive the call
    std::optional<std::chrono::milliseconds> after;
    /// Attempts used up before this run, plus one: the number of this run, or in a reconcile run of
    /// the ordinary run that may follow.
    int attempt{1};
    int max_attempts{1};
    retry_policy policy;
    double random01{0};
    bool has_reconcile{false};  ///< the kind has a reconcile handler
    bool reconcile_run{false};  ///< this run was the reconcile handler's
    bool cancel_requested{false};
};
static_assert(!std::is_aggregate_v<run_report>);

class outcome_decision {
   public:
    enum class verdict {
        completed,     ///< final
        cancelled,     ///< final, not a dead letter
        back_in_line,  ///< after `delay`, flagged `reconcile` or not
        dead,          ///< dead letter, `reason` says why
    };
    explicit outcome_decision(verdict what_) noexcept : what{what_} {}

    verdict what;
    std::chrono::milliseconds delay{0};  ///< of back_in_line only; 0 to limits::delay_max
    /// Attempts used up when this is recorded, at most max_attempts: what the line stores. A next
    /// run is number attempts_used + 1.
    int attempts_used{0};
    /// The next run is the reconcile handler's; with `dead`, the next run after a replay.
    bool reconcile{false};
    std::string reason;  ///< of dead only
};
static_assert(!std::is_aggregate_v<outcome_decision>);

/// Rules, in order of weight:
///  - completed stays completed, whatever was asked for meanwhile; cancelled likewise.
///  - discard: dead letter "discarded: ...".
///  - snooze: back after `after`, no attempt burnt, in a reconcile run still reconcile.
///  - retry: burns the attempt; back after `after` or the backoff; with none left, dead letter
///    "attempts exhausted after <n>". From a reconcile run it says the effect did *not* happen: an
///    ordinary run follows (the run before burnt its attempt, reconcile burns none).
///  - unknown: without a reconcile handler a dead letter at once, never a blind retry. With one,
///    back for reconcile after the backoff. An ordinary run burns its attempt, a reconcile run
///    burns none. The run that burnt the last attempt is still reconciled, once: if reconcile does
///    not know either, the job is a dead letter "outcome unknown".
///  - cancel requested: retry and snooze become cancelled, but not while an effect is open
///  (unknown,
///    or a reconcile run that throws or snoozes): money that may have moved is not "cancelled".
[[nodiscard]] outcome_decision decide_outcome(const run_report& run);

}  // namespace libqueue::core
