#include "core/rescue_decision.hpp"
#include "process.hpp"

#include <algorithm>

// The sweeps: rescue, strays, suspects, forgotten leases; and the handler's own transaction.
namespace simulation {
namespace {

constexpr micros patience = second;
constexpr micros rest = second;

/// As rescuer's lost_run: the decision is core's.
sql::telling lost_run(const sql::owed_job& owed, planted_bug bug) {
    const kind_facts& kind = facts_of_line(owed.line);
    const bool charged = owed.suspect || bug == planted_bug::neighbours_charged;
    libqueue::core::lost_job lost;
    lost.crashes = owed.crashes + (charged ? 1 : 0);
    lost.crash_budget = kind.crash_budget;
    lost.policy = kind.on_lost;
    lost.reconcile_run = owed.reconcile;
    const auto decided = libqueue::core::decide_rescue(lost);
    using verdict = libqueue::core::rescue_decision::verdict;
    const bool reconcile = decided.what == verdict::back_in_line_for_reconcile;
    sql::telling told;
    told.job = owed.job;
    told.lease = owed.lease;
    told.outcome = ending::lost;
    told.used = owed.used + (bug == planted_bug::loss_burns_attempt ? 1 : 0);
    told.attempt = owed.used + 1;
    told.reconcile =
        reconcile || lost.reconcile_run || lost.policy == libqueue::core::lost_policy::reconcile;
    if (bug == planted_bug::reconcile_flag_lost) {
        told.reconcile = false;
    }
    if (reconcile || decided.what == verdict::back_in_line) {
        told.delay = 0;
    } else {
        told.dead = true;
        told.crash_death = decided.reason.starts_with("crash budget spent");
    }
    return told;
}

/// As rescuer::rescue: BEGIN, locks, a look at what is owed, the verdicts, COMMIT; the client
/// decides in the middle, so it can be frozen with the locks in its hands.
class rescue_task final : public task {
   public:
    rescue_task(process& whose, int worker, std::int64_t beats) : worker_{worker}, beats_{beats} {
        owner = &whose;
        interactive = true;
    }
    said advance(world& w) override {
        switch (phase_++) {
            case 0:
                lock(w);
                return said::done;
            case 1:
                for (const sql::owed_job& owed : sql::list_owed(w.db, t, leases_)) {
                    told_.push_back(lost_run(owed, w.db.bug));
                }
                return said::done;
            case 2:
                return again_if_waiting(sql::finish_other(w.db, t, worker_, told_, standing_));
            case 3:
                return again_if_waiting(sql::bury(w.db, t, told_));
            default:
                complete = true;
                return again_if_waiting(sql::release_leases(w.db, t, worker_, leases_));
        }
    }
    void answered(world& w) override {
        w.counts.rescues += static_cast<std::int64_t>(told_.size());
        w.note([&] {
            return "worker " + std::to_string(worker_) + " is declared dead, " +
                   std::to_string(told_.size()) + " jobs rescued";
        });
        if (!told_.empty()) {
            w.tell_suspects();
        }
        owner->swept(true);
    }
    void failed(world& w, bool in_doubt) override {
        (void)w;
        (void)in_doubt;
        owner->swept(false);
    }
    [[nodiscard]] const char* name() const noexcept override { return "rescue"; }

   private:
    void lock(world& w) {
        if (beats_ >= 0) {
            if (!sql::lock_dead_worker(w.db, t, worker_, beats_)) {
                complete = rolls_back = true;
                return;
            }
            w.truth.declared_dead(w.db.worker.newest(t, worker_)->row, silence_without_session);
            sql::deregister_worker(w.db, t, worker_);
        }
        leases_ = sql::lock_leases(w.db, t, worker_);
        complete = leases_.empty();
    }
    said again_if_waiting(said answer) {
        phase_ -= answer == said::waits ? 1 : 0;
        complete = complete && answer == said::done;
        return answer;
    }

    int worker_;
    std::int64_t beats_;
    int phase_{0};
    std::vector<int> leases_;
    std::vector<sql::telling> told_;
    std::vector<int> standing_;
};

class forgotten_task final : public task {
   public:
    forgotten_task(process& whose, int worker, std::vector<int> known)
        : worker_{worker}, known_{std::move(known)} {
        owner = &whose;
    }
    said advance(world& w) override {
        const std::size_t before = w.db.ready.versions.size();
        const said answer = sql::forgotten_leases(w.db, t, worker_, known_, lease_time);
        complete = answer == said::done;
        w.counts.forgotten += w.db.ready.versions.size() > before ? 1 : 0;
        return answer;
    }
    void answered(world& w) override { (void)w; }
    void failed(world& w, bool in_doubt) override {
        (void)w;
        (void)in_doubt;
    }
    [[nodiscard]] const char* name() const noexcept override { return "forgotten_leases"; }

   private:
    int worker_;
    std::vector<int> known_;
};

/// A handler's own transaction: queue.assert_lease, then what it does outside.
class effect_task final : public task {
   public:
    effect_task(process& whose, run_ptr run, libqueue::outcome::type then)
        : run_{std::move(run)}, then_{then} {
        owner = &whose;
        interactive = true;
    }
    said advance(world& w) override {
        const sql::claimed_job& job = run_->what;
        const said answer = sql::assert_lease(w.db, t, job.job, job.lease, stands_);
        if (answer == said::done) {
            complete = true;
            rolls_back = !stands_;
            if (stands_) {
                w.db.effect.insert(t, effect_row{.job = job.job, .lease = job.lease});
            }
        }
        return answer;
    }
    void answered(world& w) override {
        (void)w;
        owner->paid(run_, stands_ ? then_ : libqueue::outcome::type::retry);
    }
    void failed(world& w, bool in_doubt) override {
        (void)w;
        (void)in_doubt;
        owner->paid(run_, libqueue::outcome::type::unknown);
    }
    [[nodiscard]] const char* name() const noexcept override { return "effect"; }

   private:
    run_ptr run_;
    libqueue::outcome::type then_;
    bool stands_{false};
};

}  // namespace

void process::pay(const run_ptr& run, libqueue::outcome::type then) {
    if (connected()) {
        w_.send(std::make_unique<effect_task>(*this, run, then));
        return;
    }
    run->thrown = true;  // nothing was done, and it knows
    paid(run, libqueue::outcome::type::retry);
}

void process::sweep() {
    w_.after(lease_time / 10, what::sweep, this);
    if (worker_id_ == 0 || sweeping_) {
        return;
    }
    if (!connected()) {
        observed_.clear();
        return;
    }
    int worker = 0;
    std::int64_t beats = 0;
    if (judge(worker, beats)) {
        sweeping_ = true;
        w_.send(std::make_unique<rescue_task>(*this, worker, beats));
        return;
    }
    if (w_.db.now >= next_strays_) {
        next_strays_ = w_.db.now + second;
        find_strays();
    }
    check_patience();
    if (w_.db.now >= next_suspects_) {
        next_suspects_ = w_.db.now + 2 * second;
        std::vector<int> ids;
        for (const own_line& line : lines_) {
            ids.push_back(line.id);
        }
        if (sql::find_suspects(w_.db, ids)) {
            suspects_found();
        }
    }
    if (w_.db.now >= next_forgotten_) {
        next_forgotten_ = w_.db.now + lease_time / 2;
        take_back_forgotten();
    }
}

void process::swept(bool ok) {
    sweeping_ = false;
    if (!ok) {
        observed_.clear();
    }
}

/// As rescuer::judge; one dead worker at a time.
bool process::judge(int& worker, std::int64_t& beats) {
    std::map<int, observation> seen;
    bool found = false;
    for (const sql::liveness& row : sql::list_liveness(w_.db)) {
        if (row.beats < 0) {
            found = true;
            worker = row.worker;
            beats = -1;
            continue;
        }
        const auto known = observed_.find(row.worker);
        const bool same = known != observed_.end() && known->second.beats == row.beats;
        const observation now{row.beats, same ? known->second.since : w_.db.now};
        seen.emplace(row.worker, now);
        micros silent = w_.db.now - now.since;
        if (w_.db.bug == planted_bug::rescue_by_wall_clock) {
            silent = w_.db.now + wall_ - row.beat_at;
        }
        if (row.worker != worker_id_ &&
            (silent >= lease_time || (row.session_gone && silent >= silence_without_session))) {
            found = true;
            worker = row.worker;
            beats = row.beats;
        }
    }
    observed_ = std::move(seen);
    return found;
}

void process::find_strays() {
    std::vector<sql::wanted_line> behind;
    for (own_line& line : lines_) {
        const libqueue::core::line_place& at = line.cursor.position(clock());
        if (at > libqueue::core::line_place{}) {
            behind.push_back(sql::wanted_line{
                .line = line.id, .after_run_at = at.run_at, .after_id = static_cast<int>(at.id)});
        }
    }
    if (may_claim() && !behind.empty() && w_.db.bug != planted_bug::strays_ignored) {
        strays_ = sql::find_strays(w_.db, behind);
    }
}

void process::take_back_forgotten() {
    std::vector<int> known;
    for (const lane& each : lanes_) {
        if (each.busy && each.busy_since < w_.db.now - lease_time / 2) {
            return;
        }
        for (const auto& [lease, jobs] : each.leases) {
            known.push_back(lease);
        }
    }
    w_.send(std::make_unique<forgotten_task>(*this, worker_id_, std::move(known)));
}

void process::give_back_unstarted() {
    for (const run_ptr& run : unstarted_) {
        lanes_[static_cast<std::size_t>(run->lane)].returning.push_back(run);
    }
    unstarted_.clear();
}

void process::suspects_found() {
    if (policy_ == suspect_policy::leave || looking_ || w_.db.now < look_not_before_) {
        return;
    }
    looking_ = true;
    patience_ends_ = w_.db.now + patience;
    give_back_unstarted();
}

bool process::admits_others() const noexcept {
    if (w_.db.bug == planted_bug::suspects_run_together) {
        return true;
    }
    return policy_ == suspect_policy::leave || (policy_ == suspect_policy::alone && !looking_);
}

bool process::nothing_runs() const noexcept {
    return running_.empty() && unstarted_.empty() && claiming_ == 0;
}

void process::stop_looking() noexcept {
    looking_ = false;
}

void process::check_patience() {
    if (looking_ && !one_runs_ && !nothing_runs() && w_.db.now >= patience_ends_ &&
        policy_ == suspect_policy::alone) {
        look_not_before_ = w_.db.now + rest;
        stop_looking();
    }
}

}  // namespace simulation
