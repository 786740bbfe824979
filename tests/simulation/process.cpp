#include "process.hpp"

#include "core/outcome_decision.hpp"

#include <algorithm>

// Boot, heartbeat and handlers. The turn is in turn.cpp, the sweeps are in maintenance.cpp.
namespace simulation {

using libqueue::outcome;

process::process(world& w, int number, suspect_policy policy)
    : w_{w}, number_{number}, policy_{policy} {}

void process::happen(what kind, int argument) {
    if (kind == what::restart) {
        boot();
        return;
    }
    if (!up_) {
        return;
    }
    if (frozen()) {
        w_.after(thaws_in() + w_.chance.between(0, 5 * ms), kind, this, argument);
        return;
    }
    if (kind == what::beat) {
        beat();
    } else if (kind == what::lane) {
        look(argument);
        w_.after(w_.chance.between(20 * ms, 60 * ms), what::lane, this, argument);
    } else if (kind == what::wake_lane) {
        look(argument);
    } else if (kind == what::sweep) {
        sweep();
    } else if (kind == what::run_end) {
        run_ends(argument);
    } else if (kind == what::cut) {
        cut(0);
    } else if (kind == what::hear_suspects && connected()) {
        suspects_found();
    }
}

void process::reset() {
    worker_id_ = 0;
    last_beat_ = 0;
    draining_ = false;
    claiming_ = 0;
    running_.clear();
    unstarted_.clear();
    lanes_ = {};
    strays_.clear();
    observed_.clear();
    sweeping_ = looking_ = suspect_claiming_ = one_runs_ = false;
    next_strays_ = next_forgotten_ = next_suspects_ = look_not_before_ = 0;
    lines_.clear();
    for (int id = 1; id <= lines; ++id) {
        own_line each;
        each.id = id;
        lines_.push_back(std::move(each));
    }
    finished_ = libqueue::core::rate_meter{std::chrono::seconds{2}, clock()};
}

void process::boot() {
    if (up_) {
        return;
    }
    reset();
    up_ = true;
    slots_ = policy_ == suspect_policy::only ? 1 : static_cast<int>(w_.chance.between(1, 3));
    w_.note([&] { return "process " + std::to_string(number_) + " starts"; });
    w_.after(0, what::beat, this);
    w_.after(w_.chance.between(0, 100 * ms), what::sweep, this);
    w_.after(w_.chance.between(0, 20 * ms), what::lane, this, 0);
    w_.after(w_.chance.between(0, 20 * ms), what::lane, this, 1);
}

void process::set_session(bool held) {
    if (auto* row = w_.db.worker.newest(transaction{}, worker_id_); row != nullptr) {
        row->row.session_lock = held;
    }
}

void process::enroll() {
    transaction t = w_.db.begin();
    if (w_.db.bug == planted_bug::reused_identity && last_identity_ != 0 &&
        w_.db.worker.newest(t, last_identity_) != nullptr) {
        worker_id_ = last_identity_;
        w_.db.abort(t);
        return;
    }
    worker_row row;
    row.id = w_.db.next_worker++;
    row.process = number_;
    row.beat_at = w_.db.now + wall_;
    row.truth_beat_at = w_.db.now;
    w_.db.worker.insert(t, row);
    w_.db.commit(t);
    worker_id_ = last_identity_ = row.id;
    w_.note([&] {
        return "process " + std::to_string(number_) + " is worker " + std::to_string(worker_id_);
    });
}

void process::beat() {
    if (!connected()) {
        w_.after(heartbeat / 4, what::beat, this);
        return;
    }
    if (const auto* row = w_.db.worker.newest(transaction{}, worker_id_);
        row != nullptr && row->held_by_other(transaction{})) {
        w_.after(ms, what::beat, this);  // a rescuer holds the row: the update waits
        return;
    }
    w_.after(heartbeat, what::beat, this);
    if (worker_id_ == 0) {
        enroll();
    }
    auto* row = w_.db.worker.newest(transaction{}, worker_id_);
    if (row == nullptr) {
        w_.note([&] { return "worker " + std::to_string(worker_id_) + " hears it is dead"; });
        worker_id_ = 0;
        lose_everything();
        return;
    }
    ++row->row.beats;
    row->row.beat_at = w_.db.now + wall_;
    row->row.truth_beat_at = w_.db.now;
    row->row.session_lock = true;
    last_beat_ = w_.db.now;
    for (const run_ptr& run : running_) {
        const int job = run->what.job;
        run->cancel_asked =
            run->cancel_asked ||
            std::any_of(w_.db.cancel_request.versions.begin(), w_.db.cancel_request.versions.end(),
                        [job](const auto& c) { return c.committed() && c.row.job == job; });
    }
    if (draining_ && running_.empty() && unstarted_.empty() && claiming_ == 0 &&
        lanes_[0].pending.empty() && lanes_[1].pending.empty() && !lanes_[0].busy &&
        !lanes_[1].busy && lanes_[0].doubtful.empty() && lanes_[1].doubtful.empty() &&
        lanes_[0].returning.empty() && lanes_[1].returning.empty()) {
        transaction t = w_.db.begin();
        sql::deregister_worker(w_.db, t, worker_id_);
        w_.db.commit(t);
        crash("has left");
    }
}

void process::lose_everything() {
    for (const run_ptr& run : running_) {
        run->finished = true;
    }
    unstarted_.clear();
    for (lane& each : lanes_) {
        each.leases.clear();
        each.pending.clear();
        each.returning.clear();
        each.doubtful.clear();
    }
}

void process::crash(const char* why) {
    if (!up_) {
        return;
    }
    w_.note([&] { return "process " + std::to_string(number_) + " " + why; });
    ++w_.counts.crashes;
    set_session(false);
    up_ = false;
    ++incarnation_;
    w_.sever(*this, false);
    frozen_until_ = 0;
    reset();
    w_.after(w_.chance.between(ms, w_.chance.percent(70) ? 300 * ms : 2 * second), what::restart,
             this);
}

void process::freeze(micros time) {
    if (up_ && !frozen()) {
        w_.note([&] {
            return "process " + std::to_string(number_) + " is frozen for " +
                   std::to_string(time / ms) + " ms";
        });
        ++w_.counts.freezes;
        frozen_until_ = w_.db.now + time;
    }
}

void process::cut(micros time) {
    if (!up_) {
        return;
    }
    w_.note([&] {
        return "process " + std::to_string(number_) + " is cut off for " +
               std::to_string(time / ms) + " ms";
    });
    cut_until_ = w_.db.now + time;
    set_session(false);
    observed_.clear();
    w_.sever(*this, true);
}

void process::leave() {
    if (up_ && !draining_) {
        w_.note([&] { return "process " + std::to_string(number_) + " is asked to leave"; });
        draining_ = true;
        give_back_unstarted();
        w_.after(0, what::wake_lane, this, 0);
        w_.after(0, what::wake_lane, this, 1);
        if (w_.chance.percent(50)) {
            w_.after(w_.chance.between(0, 4 * ms), what::cut, this);
        }
    }
}

std::string process::describe() const {
    std::string text = "process " + std::to_string(number_) + (up_ ? " is up" : " is down") +
                       ", worker " + std::to_string(worker_id_);
    text += ", runs " + std::to_string(running_.size()) + " of " + std::to_string(slots_);
    text += ", unstarted " + std::to_string(unstarted_.size());
    text += ", claiming " + std::to_string(claiming_);
    text += draining_ ? ", leaves" : "";
    text += looking_ ? ", looks for suspects" : "";
    for (const lane& each : lanes_) {
        text += each.busy ? ", turn under way" : ", lane idle";
        text += " with " + std::to_string(each.pending.size()) + " to say";
    }
    return text;
}

void process::pump() {
    while (!unstarted_.empty() && free_slots() > 0 && !draining_) {
        const run_ptr run = unstarted_.front();
        unstarted_.pop_front();
        start(run);
    }
}

void process::start(const run_ptr& run) {
    true_run real;
    real.job = run->what.job;
    real.lease = run->what.lease;
    real.process = number_;
    real.reconcile = run->what.reconcile;
    real.apart = run->suspect();
    const bool suspect_beside = std::any_of(running_.begin(), running_.end(),
                                            [](const run_ptr& other) { return other->suspect(); });
    run->truth = w_.truth.run_started(real, static_cast<int>(running_.size()), suspect_beside);
    run->started = true;
    w_.counts.apart += run->suspect() ? 1 : 0;
    w_.note([&] {
        return "process " + std::to_string(number_) + " runs job " + std::to_string(real.job) +
               " under lease " + std::to_string(real.lease) +
               (real.reconcile ? ", reconcile" : "") + (real.apart ? ", apart" : "");
    });
    running_.push_back(run);
    plan(*run);
    const micros most = !w_.faulty() ? 30 * ms : w_.chance.percent(10) ? 1'500 * ms : 200 * ms;
    w_.after(w_.chance.between(0, most), what::run_end, this, run->truth);
}

/// What an honest handler will say. One that pays says afterwards what became of it; one that does
/// not may say anything but that it is done, or does not know.
void process::plan(handler_run& run) {
    using type = outcome::type;
    if (run.what.reconcile) {
        return;  // it looks when it ends
    }
    const auto dice = w_.faulty() ? w_.chance.between(1, 100) : 100;
    run.pays = run.money() && dice > 30;
    if (dice <= 12) {
        run.plan = type::retry;
        run.thrown = w_.chance.percent(50);
    } else if (dice <= 18) {
        run.plan = type::snooze;
    } else if (dice <= 21) {
        run.plan = type::discard;
    } else if (dice <= 24) {
        run.plan = type::cancelled;
    } else if (dice <= 30) {
        run.plan = type::unknown;
    } else if (run.pays && dice <= 45) {
        run.plan = type::unknown;
    }
}

void process::plan_reconcile(handler_run& run) {
    using type = outcome::type;
    const auto dice = w_.faulty() ? w_.chance.between(1, 100) : 100;
    if (dice <= 10) {
        run.plan = type::unknown;
    } else if (dice <= 25) {
        run.plan = type::retry;
        run.thrown = true;
    } else if (dice <= 30) {
        run.plan = type::snooze;
    } else {
        const int job = run.what.job;
        const bool paid = std::any_of(
            w_.db.effect.versions.begin(), w_.db.effect.versions.end(),
            [job](const auto& each) { return each.committed() && each.row.job == job; });
        run.plan = paid ? type::completed : type::retry;
    }
}

void process::run_ends(int truth) {
    const auto at = std::find_if(running_.begin(), running_.end(),
                                 [truth](const run_ptr& run) { return run->truth == truth; });
    if (at == running_.end()) {
        return;
    }
    const run_ptr run = *at;
    if (run->pays) {
        run->pays = false;
        const auto then = run->plan;
        run->plan = outcome::type::unknown;
        pay(run, then);
        return;
    }
    if (w_.kills(run->what.job)) {
        ++w_.counts.poisoned;
        crash("is killed by the job it runs");
        return;
    }
    finish(run);
}

void process::paid(const run_ptr& run, outcome::type then) {
    run->plan = then;
    w_.after(w_.chance.between(0, 5 * ms), what::run_end, this, run->truth);
}

void process::finish(const run_ptr& run) {
    std::erase(running_, run);
    finished_.record(1, clock());
    if (run->what.reconcile && run->kind().has_reconcile) {
        plan_reconcile(*run);
    }
    if (!run->finished) {
        run->finished = true;
        lane& of = lanes_[static_cast<std::size_t>(run->lane)];
        of.pending.push_back(decide(*run));
        w_.note([&] {
            const sql::telling& told = of.pending.back();
            return "job " + std::to_string(told.job) + " ends " + to_string(told.outcome) +
                   (run->thrown ? " (thrown)" : "") + (run->cancel_asked ? " (asked)" : "") +
                   (told.delay >= 0 ? ", goes back" : "") +
                   (told.reconcile ? ", to reconcile" : "");
        });
        w_.after(0, what::wake_lane, this, run->lane);
    }
    pump();
    if (looking_ && nothing_runs()) {
        one_runs_ = false;
        patience_ends_ = w_.db.now + second;
        w_.after(0, what::wake_lane, this, 0);
    }
}

/// As runtime::decide: the decision is core's, the rest names it.
sql::telling process::decide(const handler_run& run) {
    using verdict = libqueue::core::outcome_decision::verdict;
    using type = outcome::type;
    sql::telling told;
    told.job = run.what.job;
    told.lease = told.truth_run_lease = run.what.lease;
    told.truth_run = run.truth;
    told.attempt = run.what.used + 1;
    if (run.plan == type::completed) {
        return told;
    }
    libqueue::core::run_report reported{run.plan};
    reported.thrown = run.thrown;
    if (run.plan == type::snooze) {
        reported.after = std::chrono::milliseconds{w_.chance.between(0, 200)};
    }
    reported.attempt = told.attempt;
    reported.max_attempts = run.what.max_attempts;
    reported.policy = run.kind().retry;
    reported.random01 = w_.chance.unit();
    reported.has_reconcile = run.kind().has_reconcile;
    reported.reconcile_run = run.what.reconcile;
    reported.cancel_requested = run.cancel_asked;
    const auto decided = libqueue::core::decide_outcome(reported);
    told.outcome = ending::failed;
    if (decided.what == verdict::cancelled) {
        told.outcome = ending::cancelled;
    } else if (run.plan == type::unknown) {
        told.outcome = ending::unknown;
    } else if (run.plan == type::snooze) {
        told.outcome = ending::snoozed;
    } else if (run.plan == type::discard) {
        told.outcome = ending::discarded;
    }
    if (decided.what == verdict::back_in_line && decided.reconcile) {
        told.outcome = ending::unknown;
    }
    told.used = decided.attempts_used;
    told.reconcile = decided.reconcile;
    if (decided.what == verdict::back_in_line) {
        told.delay = std::chrono::microseconds{decided.delay}.count();
    }
    told.dead = decided.what == verdict::dead;
    if (told.dead && w_.db.bug == planted_bug::dead_without_flag) {
        told.reconcile = false;
    }
    return told;
}

}  // namespace simulation
