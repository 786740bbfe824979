#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace simulation {

/// Faults that queues of this sort have shipped. One at a time is switched on, and the audit must
/// notice: a tester that finds nothing proves nothing until it has found these.
enum class planted_bug {
    none,
    finish_by_job_id,
    rescue_by_wall_clock,
    zombie_accepted,
    reused_identity,
    key_lost_with_job,
    double_replay,
    claim_without_skip,
    release_before_finish,
    loss_burns_attempt,
    neighbours_charged,
    acknowledged_twice,
    returned_twice,
    cancel_also_in_line,
    strays_ignored,
    suspects_run_together,
    forgotten_never_returned,
    reconcile_flag_lost,
    empty_line_takes_room,
    retry_reads_once,
    dead_without_flag,
    bury_any,
};

inline constexpr std::array<std::pair<planted_bug, std::string_view>, 21> planted_bugs{{
    {planted_bug::finish_by_job_id, "finish_by_job_id"},
    {planted_bug::rescue_by_wall_clock, "rescue_by_wall_clock"},
    {planted_bug::zombie_accepted, "zombie_accepted"},
    {planted_bug::reused_identity, "reused_identity"},
    {planted_bug::key_lost_with_job, "key_lost_with_job"},
    {planted_bug::double_replay, "double_replay"},
    {planted_bug::claim_without_skip, "claim_without_skip"},
    {planted_bug::release_before_finish, "release_before_finish"},
    {planted_bug::loss_burns_attempt, "loss_burns_attempt"},
    {planted_bug::neighbours_charged, "neighbours_charged"},
    {planted_bug::acknowledged_twice, "acknowledged_twice"},
    {planted_bug::returned_twice, "returned_twice"},
    {planted_bug::cancel_also_in_line, "cancel_also_in_line"},
    {planted_bug::strays_ignored, "strays_ignored"},
    {planted_bug::suspects_run_together, "suspects_run_together"},
    {planted_bug::forgotten_never_returned, "forgotten_never_returned"},
    {planted_bug::reconcile_flag_lost, "reconcile_flag_lost"},
    {planted_bug::empty_line_takes_room, "empty_line_takes_room"},
    {planted_bug::retry_reads_once, "retry_reads_once"},
    {planted_bug::dead_without_flag, "dead_without_flag"},
    {planted_bug::bury_any, "bury_any"},
}};

}  // namespace simulation
