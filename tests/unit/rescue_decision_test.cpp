#include "core/rescue_decision.hpp"

#include <doctest/doctest.h>

#include <vector>

using libqueue::core::decide_rescue;
using libqueue::core::lost_job;
using libqueue::core::lost_policy;
using libqueue::core::rescue_decision;
using verdict = rescue_decision::verdict;

namespace {

lost_job lost(int crashes, int budget, lost_policy policy, bool reconcile_run = false) {
    lost_job job;
    job.crashes = crashes;
    job.crash_budget = budget;
    job.policy = policy;
    job.reconcile_run = reconcile_run;
    return job;
}

class row {
   public:
    lost_job job;
    verdict what;
};

}  // namespace

TEST_SUITE_BEGIN("rescue_decision");

TEST_CASE("rescue_decision: table of policies, budgets and runs") {
    const std::vector<row> table{
        // Nobody knows whose doing it was: not charged, whatever the budget.
        {lost(0, 3, lost_policy::retry), verdict::back_in_line},
        {lost(0, 0, lost_policy::retry), verdict::back_in_line},
        {lost(0, 0, lost_policy::reconcile), verdict::back_in_line_for_reconcile},
        {lost(1, 3, lost_policy::retry), verdict::back_in_line},
        {lost(3, 3, lost_policy::retry), verdict::back_in_line},
        {lost(4, 3, lost_policy::retry), verdict::dead},
        {lost(1, 0, lost_policy::retry), verdict::dead},
        {lost(1, 1, lost_policy::retry), verdict::back_in_line},
        {lost(2, 1, lost_policy::retry), verdict::dead},
        {lost(1, 3, lost_policy::dead), verdict::dead},
        {lost(1, 3, lost_policy::hold), verdict::hold},
        {lost(9, 3, lost_policy::hold), verdict::hold},
        {lost(1, 3, lost_policy::reconcile), verdict::back_in_line_for_reconcile},
        {lost(4, 3, lost_policy::reconcile), verdict::dead},
        // What the run before a reconcile run did is still open.
        {lost(1, 3, lost_policy::retry, true), verdict::back_in_line_for_reconcile},
        {lost(4, 3, lost_policy::retry, true), verdict::dead},
        {lost(1, 3, lost_policy::hold, true), verdict::hold},
        {lost(2'000'000'000, 3, lost_policy::retry), verdict::dead},
        {lost(1, -1, lost_policy::retry), verdict::dead},
    };

    for (const row& one : table) {
        const rescue_decision decision = decide_rescue(one.job);
        CAPTURE(decision.reason);
        CHECK(decision.what == one.what);
        CHECK_FALSE(decision.reason.empty());
    }
}

TEST_CASE("rescue_decision: the reason names how often and how often it was allowed") {
    CHECK(decide_rescue(lost(4, 3, lost_policy::retry)).reason ==
          "crash budget spent: worker lost (4 of 3 allowed)");
    CHECK(decide_rescue(lost(1, 3, lost_policy::hold)).reason ==
          "held: worker lost (1 of 3 allowed), an operator decides");
}

TEST_SUITE_END();
