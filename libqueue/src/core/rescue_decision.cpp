#include "core/rescue_decision.hpp"

namespace libqueue::core {

namespace {

std::string loss_text(const lost_job& job) {
    std::string text = "worker lost";
    if (!job.how.empty()) {
        text += ", " + job.how;
    }
    if (job.crashes == 0) {
        return text + " (not charged: others ran beside it)";
    }
    return text + " (" + std::to_string(job.crashes) + " of " + std::to_string(job.crash_budget) +
           " allowed)";
}

}  // namespace

rescue_decision decide_rescue(const lost_job& job) {
    using verdict = rescue_decision::verdict;
    if (job.policy == lost_policy::hold) {
        return {verdict::hold, "held: " + loss_text(job) + ", an operator decides"};
    }
    if (job.policy == lost_policy::dead) {
        return {verdict::dead, loss_text(job) + ", the kind is not retried after a loss"};
    }
    if (job.crashes > 0 && job.crashes > job.crash_budget) {
        return {verdict::dead, "crash budget spent: " + loss_text(job)};
    }
    if (job.policy == lost_policy::reconcile || job.reconcile_run) {
        return {verdict::back_in_line_for_reconcile, loss_text(job) + ", to be reconciled"};
    }
    return {verdict::back_in_line, loss_text(job)};
}

}  // namespace libqueue::core
