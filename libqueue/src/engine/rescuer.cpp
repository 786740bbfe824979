#include "engine/rescuer.hpp"

#include "core/limits.hpp"
#include "core/rescue_decision.hpp"
#include "engine/acknowledgement.hpp"
#include "engine/runtime.hpp"
#include "engine/turn.hpp"

#include <algorithm>
#include <utility>

namespace libqueue::engine {
namespace {

enum owed_column : int {
    col_lease,
    col_job,
    col_used,
    col_kind,
    col_suspect,
    col_crashes,
    col_budget,
    col_on_lost,
    col_reconcile,
};

/// Of list_liveness and heartbeat.
enum live_column : int {
    live_worker,
    live_beats,
    live_heartbeat,
    live_lease,
    live_session_gone,
    live_ended,
    live_beat_age,
};

// A worker whose session lock is free may just be reconnecting.
std::chrono::milliseconds reconnect_time(std::chrono::milliseconds heartbeat) {
    return std::max<std::chrono::milliseconds>(heartbeat / 2, std::chrono::milliseconds{500});
}

core::lost_policy policy_of(std::string_view on_lost) {
    if (on_lost == "dead") {
        return core::lost_policy::dead;
    }
    if (on_lost == "hold") {
        return core::lost_policy::hold;
    }
    return on_lost == "reconcile" ? core::lost_policy::reconcile : core::lost_policy::retry;
}

acknowledgement lost_run(const pg::result& owed, int row, const std::string& how) {
    const bool suspect = owed.binary_bool(row, col_suspect);
    core::lost_job lost;
    lost.how = how;
    lost.crashes = static_cast<int>(owed.binary_int64(row, col_crashes)) + (suspect ? 1 : 0);
    lost.crash_budget = owed.binary_int32(row, col_budget);
    lost.policy = policy_of(owed.text(row, col_on_lost));
    lost.reconcile_run = owed.binary_bool(row, col_reconcile);
    const core::rescue_decision decided = core::decide_rescue(lost);

    using verdict = core::rescue_decision::verdict;
    const bool reconcile = decided.what == verdict::back_in_line_for_reconcile;
    acknowledgement ack{owed.binary_int64(row, col_job), owed.binary_int64(row, col_lease), "lost"};
    ack.used = owed.binary_int16(row, col_used);
    ack.attempt = ack.used + 1;
    ack.error = decided.reason;
    ack.attached = true;  // who rescues has not read the job: settling looks
    // Kept also when it dies here: a replay must reconcile first.
    ack.reconcile = reconcile || lost.reconcile_run || lost.policy == core::lost_policy::reconcile;
    if (reconcile || decided.what == verdict::back_in_line) {
        ack.delay_us = 0;
    } else {
        ack.dead_reason = decided.reason;
    }
    return ack;
}

}  // namespace

boost::asio::awaitable<std::int64_t> rescuer::run_once() {
    connection_.send(shared_.sql.list_liveness, pg::params{});
    const std::vector<pg::result> results = co_await connection_.run();
    const std::vector<dead_worker> dead = judge(results.at(0));
    std::int64_t rescued = 0;
    for (const dead_worker& each : dead) {
        const std::int64_t jobs = co_await rescue(each);
        if (jobs > 0) {
            event e{event_type::jobs_rescued};
            e.worker = shared_.worker_id;
            e.other_worker = each.worker;
            e.count = jobs;
            shared_.emit(e);
        }
        rescued += jobs;
    }
    if (rescued > 0) {
        shared_.suspects.found();
    }
    co_return rescued;
}

/// A count that changed since the last look was beaten at most so long ago as its row says.
void rescuer::observe(const pg::result& rows) {
    const auto now = clock::now();
    std::map<std::int64_t, observation> seen;
    late_ = false;
    for (int row = 0; row < rows.rows(); ++row) {
        if (rows.is_null(row, live_beats)) {
            continue;
        }
        const std::int64_t worker = rows.binary_int64(row, live_worker);
        const std::int64_t beats = rows.binary_int64(row, live_beats);
        late_ = late_ || !rows.is_null(row, live_ended);
        const auto known = observed_.find(worker);
        if (known != observed_.end() && known->second.beats == beats) {
            seen.insert(*known);
            const std::chrono::milliseconds heartbeat{rows.binary_int32(row, live_heartbeat)};
            late_ = late_ ||
                    (worker != shared_.worker_id && now - known->second.since > heartbeat * 3 / 2);
            continue;
        }
        // Nothing is known of one seen for the first time but that it was there.
        const std::chrono::milliseconds age{
            known == observed_.end() ? 0 : rows.binary_int32(row, live_beat_age)};
        const auto since = known == observed_.end()
                               ? now
                               : std::max<clock::time_point>(known->second.since, now - age);
        seen.emplace(worker, observation{beats, since});
    }
    observed_ = std::move(seen);
}

std::vector<rescuer::dead_worker> rescuer::judge(const pg::result& rows) {
    observe(rows);
    const auto now = clock::now();
    std::vector<dead_worker> dead;
    for (int row = 0; row < rows.rows(); ++row) {
        const std::int64_t worker = rows.binary_int64(row, live_worker);
        if (rows.is_null(row, live_beats)) {
            dead.push_back(dead_worker{worker, -1, "it left without a word"});
            continue;
        }
        const std::chrono::milliseconds heartbeat{rows.binary_int32(row, live_heartbeat)};
        const std::chrono::milliseconds lease{rows.binary_int32(row, live_lease)};
        const bool session_gone = rows.binary_bool(row, live_session_gone);
        const std::string ended = rows.optional_text(row, live_ended).value_or("");
        const auto silent = now - observed_.at(worker).since;
        if (worker != shared_.worker_id &&
            (!ended.empty() || silent >= lease ||
             (session_gone && silent >= heartbeat + reconnect_time(heartbeat)))) {
            dead.push_back(dead_worker{worker, rows.binary_int64(row, live_beats),
                                       ended.empty() ? "it fell silent" : ended});
        }
    }
    return dead;
}

boost::asio::awaitable<std::int64_t> rescuer::rescue(const dead_worker& dead) {
    std::int64_t jobs = 0;
    bool first = dead.beats >= 0;
    for (;;) {
        connection_.send_text("BEGIN");
        pg::params id;
        id.int8(dead.worker);
        if (first) {
            pg::params judged;
            judged.int8(dead.worker).int8(dead.beats);
            connection_.send(shared_.sql.lock_dead_worker, judged);
        }
        pg::params some;
        some.int8(dead.worker).int4(limits::sweep_batch_max / 10);
        connection_.send(shared_.sql.lock_leases, some);
        std::vector<pg::result> locked = co_await connection_.run();
        const bool ours = !first || locked.at(0).rows() == 1;
        std::vector<std::int64_t> leases;
        const pg::result& rows = locked.back();
        for (int row = 0; ours && row < rows.rows(); ++row) {
            leases.push_back(rows.binary_int64(row, 0));
        }
        if (!leases.empty()) {
            connection_.pass(pg::failpoint::rescue_locked);
        }
        if (ours && first) {
            connection_.send(shared_.sql.deregister_worker, id);
        }
        if (!leases.empty()) {
            jobs += co_await rescue_leases(dead, leases);
            connection_.send(shared_.sql.tell_suspects, pg::params{});
        }
        if (!leases.empty()) {
            connection_.pass(pg::failpoint::rescue_before_commit);
        }
        connection_.send_text(ours ? "COMMIT" : "ROLLBACK");
        co_await connection_.run();
        if (!leases.empty()) {
            connection_.pass(pg::failpoint::rescue_after_commit);
        }
        first = false;
        if (leases.empty()) {
            co_return jobs;
        }
    }
}

/// Inside the transaction that holds the locks on these leases.
boost::asio::awaitable<std::int64_t> rescuer::rescue_leases(const dead_worker& dead,
                                                            std::vector<std::int64_t> leases) {
    pg::params which;
    which.int8_array(leases);
    connection_.send(shared_.sql.list_owed, which);
    const std::vector<pg::result> results = co_await connection_.run();
    const pg::result& owed = results.back();
    std::vector<acknowledgement> lost;
    for (int row = 0; row < owed.rows(); ++row) {
        lost.push_back(lost_run(owed, row, dead.how));
    }
    turn::send_finishes(connection_, shared_.sql, dead.worker, lost);
    pg::params done;
    done.int8(dead.worker).int8_array(leases);
    connection_.send(shared_.sql.release_leases, done);
    co_await connection_.run();
    co_return static_cast<std::int64_t>(lost.size());
}

}  // namespace libqueue::engine
