#pragma once

#include <string>
#include <type_traits>

/// What becomes of a job whose worker died while running it. Pure.
namespace libqueue::core {

/// The kind's `on_lost`, as the rescuer reads it from the database.
enum class lost_policy { retry, dead, hold, reconcile };

class lost_job {
   public:
    lost_job() = default;
    /// Workers this job is charged with, the one just lost included; 0: it ran beside others, so
    /// nobody knows whose doing it was, and it will run apart from now on.
    int crashes{0};
    int crash_budget{3};  ///< crashes it may survive
    std::string how;      ///< how the worker died, as far as known
    lost_policy policy{lost_policy::retry};
    /// The lost run was itself a reconcile run: what the attempt before it did is still open.
    bool reconcile_run{false};
};
static_assert(!std::is_aggregate_v<lost_job>);

class rescue_decision {
   public:
    enum class verdict {
        back_in_line,                ///< as an ordinary attempt, the attempt number unchanged
        back_in_line_for_reconcile,  ///< the same, flagged reconcile
        dead,                        ///< dead letter, `reason` says why
        hold,                        ///< dead letter that says held: an operator decides
    };
    rescue_decision(verdict what_, std::string reason_) : what{what_}, reason{std::move(reason_)} {}

    verdict what;
    std::string reason;  ///< for the attempt's record; never empty
};
static_assert(!std::is_aggregate_v<rescue_decision>);

/// A job survives `crash_budget` crashes; the next one is its death, whatever the policy says of
/// going back in line. A loss that may be a neighbour's doing is not a crash of the job, until it
/// loses the next worker, too, and that one alone. `dead` and `hold` act at the first loss. A lost
/// reconcile run is never turned into an ordinary attempt: that would be the blind second try
/// reconcile exists to prevent.
[[nodiscard]] rescue_decision decide_rescue(const lost_job& job);

}  // namespace libqueue::core
