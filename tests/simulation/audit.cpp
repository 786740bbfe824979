#include "audit.hpp"

#include <cstdlib>

namespace simulation {
namespace {

std::string job_name(int job) {
    return "job " + std::to_string(job);
}

[[noreturn]] void fail(const char* invariant, const std::string& detail) {
    throw violation{invariant, detail};
}

}  // namespace

const kind_facts& facts_of_line(int line) {
    using policy = libqueue::core::lost_policy;
    static const std::array<kind_facts, lines> kinds{{
        {"plain", policy::retry, false, 2, 5},
        {"money", policy::reconcile, true, 3, 5},
        {"held", policy::hold, false, 3, 5},
        {"mortal", policy::dead, false, 3, 5},
        {"urgent", policy::retry, false, 0, 1},
    }};
    return kinds.at(static_cast<std::size_t>(std::abs(line) - 1));
}

const char* audit::to_string(state what) noexcept {
    switch (what) {
        case state::unborn:
            return "unborn";
        case state::in_line:
            return "in line";
        case state::leased:
            return "leased";
        case state::completed:
            return "completed";
        case state::cancelled:
            return "cancelled";
        case state::dead:
            return "dead";
    }
    return "?";
}

int audit::run_started(const true_run& run, int beside, bool suspect_beside) {
    if (beside > 0 && (run.apart || suspect_beside)) {
        fail("suspects apart", job_name(run.job) + " runs beside a suspect, or is one");
    }
    const int number = static_cast<int>(all_runs_.size());
    if (!runs_.emplace(std::pair{run.job, run.lease}, number).second) {
        fail("doubled run",
             job_name(run.job) + " began twice under lease " + std::to_string(run.lease));
    }
    all_runs_.push_back(run);
    return number;
}

void audit::claimed_in_order(int line, micros run_at, int job) {
    const auto entry = std::find_if(db_.ready.versions.begin(), db_.ready.versions.end(),
                                    [job](const auto& each) { return each.row.id == job; });
    claim_seen& last = claimed_[line];
    const std::pair place{run_at, job};
    // One that committed after the later one was taken could not have been taken before it.
    if (place < last.place && entry != db_.ready.versions.end() && entry->made <= last.commits) {
        fail("first in, first out", job_name(job) + " was claimed after a later one of its line");
    }
    if (place > last.place) {
        last = claim_seen{place, db_.commits()};
    }
}

audit::shadow& audit::shadow_of(int job) {
    const auto at = static_cast<std::size_t>(job);
    if (at >= jobs_.size()) {
        jobs_.resize(at + 1);
    }
    return jobs_[at];
}

void audit::committed(bool by_operator) {
    read_births();
    read_history(by_operator);
    count_places();
    census(by_operator);
    seen_ = db_.commits();
}

void audit::read_births() {
    for (const auto& each : db_.job.versions) {
        if (each.made == not_yet || each.made <= seen_) {
            continue;
        }
        const auto intent = static_cast<std::size_t>(each.row.truth_intent);
        jobs_of_intent_.resize(std::max(jobs_of_intent_.size(), intent + 1));
        if (++jobs_of_intent_[intent] > 1) {
            fail("double enqueue",
                 "one intent has two jobs, the second is " + job_name(each.row.id));
        }
    }
    for (const auto& each : db_.effect.versions) {
        if (each.made == not_yet || each.made <= seen_) {
            continue;
        }
        const auto job = static_cast<std::size_t>(each.row.job);
        effects_.resize(std::max(effects_.size(), job + 1));
        if (++effects_[job] > 1) {
            fail("single effect", job_name(each.row.job) + " paid twice");
        }
    }
}

void audit::read_history(bool by_operator) {
    for (const auto& each : db_.attempt.versions) {
        if (each.made != not_yet && each.made > seen_) {
            read_attempt(each.row, by_operator);
        }
    }
}

void audit::read_attempt(const attempt_row& row, bool by_operator) {
    shadow& job = shadow_of(row.job);
    if (std::find(job.ended.begin(), job.ended.end(), row.lease) != job.ended.end()) {
        fail("doubled finish", job_name(row.job) + ": two endings of one lease");
    }
    if (row.truth_run >= 0 && row.truth_run_lease != row.lease) {
        fail("unfenced finish", job_name(row.job) + ": the run under lease " +
                                    std::to_string(row.truth_run_lease) +
                                    " was recorded under lease " + std::to_string(row.lease));
    }
    if (job.where != state::leased && !by_operator) {
        fail("unfenced finish", job_name(row.job) + " was finished while " + to_string(job.where));
    }
    const job_row& fact = db_.job.newest(transaction{}, row.job)->row;
    if (row.outcome == ending::lost) {
        read_loss(row, job, fact);
    } else {
        job.streak = 0;
    }
    const bool ordinary =
        row.truth_run >= 0 && !all_runs_.at(static_cast<std::size_t>(row.truth_run)).reconcile;
    if (ordinary && (row.outcome == ending::failed || row.outcome == ending::unknown)) {
        ++job.burnt;
    }
    read_operation(job, row);
    if (job.burnt > fact.max_attempts) {
        fail("attempts bounded", job_name(row.job) + " burnt " + std::to_string(job.burnt) +
                                     " of " + std::to_string(fact.max_attempts));
    }
    job.ended.push_back(row.lease);
    job.final = row.next_run_at < 0;
    job.outcome = row.outcome;
}

void audit::read_operation(shadow& job, const attempt_row& row) {
    if (row.outcome == ending::replayed) {
        job.charged = 0;
        job.burnt = job.where == state::in_line ? job.burnt : 0;
    }
}

void audit::read_loss(const attempt_row& row, shadow& job, const job_row& fact) {
    using policy = libqueue::core::lost_policy;
    const kind_facts& kind = facts_of_line(fact.line);
    const auto run = runs_.find(std::pair{row.job, row.lease});
    if (job.streak > 0) {
        if (run != runs_.end() && !all_runs_.at(static_cast<std::size_t>(run->second)).apart) {
            fail("crash budget", job_name(row.job) + " is charged for a run beside others");
        }
        job.charged += job.streak == 1 ? 2 : 1;
    }
    ++job.streak;
    const bool spent = job.streak > 1 && job.charged > kind.crash_budget;
    const bool final = row.next_run_at < 0;
    const bool at_first = kind.on_lost == policy::hold || kind.on_lost == policy::dead;
    if (final != (spent || at_first) || (row.crash_death && !spent)) {
        fail("crash budget", job_name(row.job) + (final ? " died" : " lives on") + ", charged " +
                                 std::to_string(job.charged) + " of " +
                                 std::to_string(kind.crash_budget));
    }
}

void audit::check_ready(const ready_row& row) {
    const shadow& job = shadow_of(row.id);
    if (row.used != job.burnt) {
        fail("attempts exact", job_name(row.id) + " stands in line with " +
                                   std::to_string(row.used) + " attempts used, burnt " +
                                   std::to_string(job.burnt));
    }
    if ((row.line < 0) != (job.streak > 0)) {
        fail("suspects apart", job_name(row.id) + " stands in the wrong one of its lines");
    }
}

void audit::count_places() {
    for (shadow& each : jobs_) {
        each.in_line = each.leased = 0;
        each.letter = false;
    }
    for (const auto& each : db_.ready.versions) {
        if (each.committed()) {
            ++shadow_of(each.row.id).in_line;
            check_ready(each.row);
        }
    }
    for (const auto& each : db_.lease.versions) {
        if (!each.committed()) {
            continue;
        }
        for (const auto& [job, used] : each.row.jobs) {
            shadow& held = shadow_of(job);
            const bool ended =
                std::find(held.ended.begin(), held.ended.end(), each.row.id) != held.ended.end();
            held.leased += ended ? 0 : 1;
        }
    }
    for (const auto& each : db_.dead_letter.versions) {
        if (each.committed()) {
            shadow_of(each.row.job).letter = true;
        }
    }
}

audit::state audit::place_of(const shadow& job, int id) {
    const int sum = job.in_line + job.leased + (job.final ? 1 : 0);
    if (sum != 1) {
        fail(sum == 0 ? "lost job" : "doubled job",
             job_name(id) + ": " + std::to_string(job.in_line) + " times in line, " +
                 std::to_string(job.leased) + " times leased" +
                 (job.final ? ", and final" : ", not final"));
    }
    if (!job.final) {
        return job.in_line > 0 ? state::in_line : state::leased;
    }
    if (job.outcome == ending::completed) {
        return state::completed;
    }
    return job.outcome == ending::cancelled ? state::cancelled : state::dead;
}

void audit::census(bool by_operator) {
    for (const auto& each : db_.job.versions) {
        if (!each.committed()) {
            continue;
        }
        const int id = each.row.id;
        shadow& job = shadow_of(id);
        const state now = place_of(job, id);
        if (job.letter != (now == state::dead)) {
            fail("one dead letter", job_name(id) + " is " + to_string(now) +
                                        (job.letter ? ", with a letter" : ", without a letter"));
        }
        check_edge(id, job.where, now, by_operator);
        job.where = now;
    }
}

void audit::check_edge(int job, state before, state after, bool by_operator) {
    bool legal = before == after;
    switch (before) {
        case state::unborn:
            legal = legal || after == state::in_line;
            break;
        case state::in_line:
            legal = legal || after == state::leased || (by_operator && after == state::cancelled);
            break;
        case state::leased:
            legal = true;
            break;
        case state::completed:
            break;
        case state::cancelled:
        case state::dead:
            legal = legal || (by_operator && after == state::in_line);
            break;
    }
    if (!legal) {
        fail("legal transition",
             job_name(job) + " went from " + to_string(before) + " to " + to_string(after));
    }
}

void audit::declared_dead(const worker_row& worker, micros allowed_silence) {
    const micros heard = std::max(worker.truth_beat_at, last_outage_);
    if (db_.now - heard < allowed_silence) {
        fail("no live worker declared dead", "worker " + std::to_string(worker.id) + " beat " +
                                                 std::to_string((db_.now - heard) / 1'000) +
                                                 " ms ago");
    }
}

void audit::enqueue_answered(int intent, int job) {
    const auto [at, first] = acknowledged_.emplace(intent, job);
    if (!first && at->second != job) {
        fail("double enqueue", "intent " + std::to_string(intent) + " was told two ids");
    }
}

bool audit::all_final() const {
    return db_.lease.versions.empty() &&
           std::all_of(jobs_.begin(), jobs_.end(), [](const shadow& job) {
               return job.where != state::in_line && job.where != state::leased;
           });
}

void audit::finish() {
    for (std::size_t job = 0; job < jobs_.size(); ++job) {
        const state where = jobs_[job].where;
        if (where == state::in_line || where == state::leased) {
            fail("stuck", job_name(static_cast<int>(job)) + " is still " + to_string(where));
        }
    }
    for (const auto& [intent, job] : acknowledged_) {
        if (shadow_of(job).where == state::unborn) {
            fail("lost job", "acknowledged " + job_name(job) + " is not there");
        }
    }
    for (const auto& each : db_.lease.versions) {
        if (each.committed()) {
            fail("stuck", "lease " + std::to_string(each.row.id) + " is left over");
        }
    }
    for (const true_run& run : all_runs_) {
        if (!find_ending(run)) {
            fail("runs on the books", job_name(run.job) + " ran under lease " +
                                          std::to_string(run.lease) + ", of which nothing is told");
        }
    }
}

bool audit::find_ending(const true_run& run) const {
    const std::vector<int>& ended = jobs_.at(static_cast<std::size_t>(run.job)).ended;
    return std::find(ended.begin(), ended.end(), run.lease) != ended.end();
}

}  // namespace simulation
