#include "statements.hpp"

#include <cstdlib>
#include <set>

namespace simulation::sql {
namespace {

using lease_version = version<lease_row>;
using ready_version = version<ready_row>;
constexpr auto wait = table<lease_row>::locked_rows::wait;
constexpr auto skip = table<lease_row>::locked_rows::skip;

std::set<int> distinct_leases(std::span<const telling> told, bool completed) {
    std::set<int> leases;
    for (const telling& each : told) {
        if ((each.outcome == ending::completed) == completed) {
            leases.insert(each.lease);
        }
    }
    return leases;
}

void lease_out(database& db, transaction& t, int worker, const std::vector<ready_version*>& taken,
               std::vector<claimed_job>& rows) {
    if (taken.empty()) {
        return;
    }
    lease_row lease;
    lease.id = db.next_lease++;
    lease.worker = worker;
    lease.claimed_at = db.now;
    for (ready_version* each : taken) {
        const ready_row& row = each->row;
        if (!each->held_by_other(t)) {  // a planted bug takes what others are taking
            each->remove(t);
        }
        lease.jobs.emplace_back(row.id, row.used);
        claimed_job claimed{.lease = lease.id,
                            .job = row.id,
                            .line = row.line,
                            .run_at = row.run_at,
                            .used = row.used,
                            .reconcile = row.reconcile,
                            .max_attempts = db.job.newest(t, row.id)->row.max_attempts};
        rows.push_back(claimed);
    }
    db.lease.insert(t, std::move(lease));
}

bool lock_told(database& db, transaction& t, int worker, std::span<const telling> told,
               bool completed, std::vector<lease_version*>& held) {
    const std::set<int> leases = distinct_leases(told, completed);
    return db.lease.lock(
        t, [&](const lease_row& s) { return leases.contains(s.id) && s.worker == worker; }, wait,
        held);
}

bool standing(const std::vector<lease_version*>& held, int lease) {
    return std::any_of(held.begin(), held.end(),
                       [lease](const auto* each) { return each->row.id == lease; });
}

attempt_row history(const telling& told, int worker) {
    attempt_row row;
    row.job = told.job;
    row.lease = told.lease;
    row.worker = worker;
    row.outcome = told.outcome;
    row.attempt = told.attempt;
    row.reconcile = told.reconcile;
    row.crash_death = told.crash_death;
    row.truth_run = told.truth_run;
    row.truth_run_lease = told.truth_run_lease;
    return row;
}

said admit(database& db, const transaction& t, const attempt_row& row) {
    return db.bug == planted_bug::acknowledged_twice ? said::done : db.attempt.admits(t, row.key());
}

/// The planted bugs of the fence: which telling counts although its lease does not stand, or not
/// under this worker.
bool misfenced(database& db, transaction& t, telling& told) {
    if (db.bug == planted_bug::finish_by_job_id) {
        for (const lease_version& each : db.lease.versions) {
            if (each.current(t) && each.row.owes(told.job) &&
                db.attempt.newest(t, std::pair{told.job, each.row.id}) == nullptr) {
                told.lease = each.row.id;
                return true;
            }
        }
    }
    if (db.bug == planted_bug::zombie_accepted) {
        if (auto* known = db.attempt.newest(t, std::pair{told.job, told.lease});
            known != nullptr && known->made_by != t.id) {
            known->remove(t);
        }
        return true;
    }
    return false;
}

}  // namespace

said claim(database& db, transaction& t, int worker, std::span<const wanted_line> lines, int most,
           std::vector<claimed_job>& rows) {
    db.begin_statement(t);
    std::vector<ready_version*> taken;
    for (const wanted_line& w : lines) {
        std::vector<ready_version*> line;
        for (ready_version& x : db.ready.versions) {
            const auto at = std::pair{x.row.run_at, x.row.id};
            const bool due = x.row.line == w.line && x.row.run_at <= db.now &&
                             at > std::pair{w.after_run_at, w.after_id};
            const bool locked = x.held_by_other(t) && db.bug != planted_bug::claim_without_skip;
            if (due && x.visible(t) && x.gone == not_yet && !locked) {
                line.push_back(&x);
            }
        }
        std::sort(line.begin(), line.end(),
                  [](const auto* a, const auto* b) { return a->row.key() < b->row.key(); });
        if (line.size() > static_cast<std::size_t>(w.most)) {
            line.resize(static_cast<std::size_t>(w.most));
        }
        taken.insert(taken.end(), line.begin(), line.end());
    }
    if (taken.size() > static_cast<std::size_t>(most)) {
        taken.resize(static_cast<std::size_t>(most));
    }
    lease_out(db, t, worker, taken, rows);
    db.end_statement(t);
    return said::done;
}

said claim_strays(database& db, transaction& t, int worker, const places& at,
                  std::vector<claimed_job>& rows) {
    db.begin_statement(t);
    std::vector<ready_version*> taken;
    (void)db.ready.lock(
        t,
        [&](const ready_row& x) {
            return std::find(at.begin(), at.end(), std::pair{x.line, std::pair{x.run_at, x.id}}) !=
                   at.end();
        },
        table<ready_row>::locked_rows::skip, taken);
    lease_out(db, t, worker, taken, rows);
    db.end_statement(t);
    return said::done;
}

said finish_completed(database& db, transaction& t, int worker, std::span<const telling> told,
                      std::vector<int>& standing_leases) {
    db.begin_statement(t);
    std::vector<lease_version*> held;
    if (!lock_told(db, t, worker, told, true, held)) {
        return said::waits;
    }
    std::vector<attempt_row> appended;
    for (telling u : told) {
        if (u.outcome != ending::completed) {
            continue;
        }
        const int asked = u.lease;
        if (standing(held, u.lease) || misfenced(db, t, u)) {
            appended.push_back(history(u, worker));
            standing_leases.push_back(asked);
        }
    }
    for (const attempt_row& row : appended) {
        if (const said answer = admit(db, t, row); answer != said::done) {
            return answer;
        }
    }
    for (const attempt_row& row : appended) {
        if (db.bug == planted_bug::key_lost_with_job) {
            for (auto& key : db.idempotency.versions) {
                if (key.row.job == row.job && key.current(t)) {
                    key.remove(t);
                }
            }
        }
        db.attempt.insert(t, row);
    }
    for (const lease_version* each : held) {
        standing_leases.push_back(each->row.id);
    }
    db.end_statement(t);
    return said::done;
}

said finish_other(database& db, transaction& t, int worker, std::span<const telling> told,
                  std::vector<int>& standing_leases) {
    db.begin_statement(t);
    std::vector<lease_version*> held;
    if (!lock_told(db, t, worker, told, false, held)) {
        return said::waits;
    }
    std::vector<attempt_row> appended;
    std::vector<ready_row> returned;
    for (telling u : told) {
        const int asked = u.lease;
        if (u.outcome == ending::completed || !(standing(held, u.lease) || misfenced(db, t, u))) {
            continue;
        }
        standing_leases.push_back(asked);
        const bool asked_to_cancel =
            !u.reconcile &&
            std::any_of(db.cancel_request.versions.begin(), db.cancel_request.versions.end(),
                        [&](const auto& c) { return c.visible(t) && c.row.job == u.job; });
        const bool cancelled = asked_to_cancel && u.delay >= 0;
        attempt_row row = history(u, worker);
        row.next_run_at = u.delay >= 0 && !cancelled ? db.now + u.delay : -1;
        row.outcome = cancelled ? ending::cancelled : u.outcome;
        appended.push_back(row);
        if (row.next_run_at >= 0 || (cancelled && db.bug == planted_bug::cancel_also_in_line)) {
            const int line = db.job.newest(t, u.job)->row.line;
            returned.push_back(ready_row{.id = u.job,
                                         .line = u.outcome == ending::lost ? -line : line,
                                         .run_at = db.now + u.delay,
                                         .used = u.used,
                                         .reconcile = u.reconcile});
        }
    }
    for (const attempt_row& row : appended) {
        if (const said answer = admit(db, t, row); answer != said::done) {
            return answer;
        }
    }
    for (const ready_row& row : returned) {
        if (const said answer = db.ready.admits(t, row.key()); answer != said::done) {
            return answer;
        }
    }
    for (const attempt_row& row : appended) {
        db.attempt.insert(t, row);
    }
    for (const ready_row& row : returned) {
        db.ready.insert(t, row);
    }
    for (const lease_version* each : held) {
        standing_leases.push_back(each->row.id);
    }
    db.end_statement(t);
    return said::done;
}

said bury(database& db, transaction& t, std::span<const telling> told) {
    db.begin_statement(t);
    for (const telling& u : told) {
        auto* a = db.attempt.newest(t, std::pair{u.job, u.lease});
        const bool ours = a != nullptr && (a->made_by == t.id || db.bug == planted_bug::bury_any);
        if (!u.dead || !ours || !a->visible(t) || a->row.next_run_at >= 0 ||
            a->row.outcome == ending::completed || a->row.outcome == ending::cancelled) {
            continue;
        }
        if (const said answer = db.dead_letter.admits(t, u.job); answer != said::done) {
            return answer;
        }
        db.dead_letter.insert(t, letter_row{u.job});
    }
    db.end_statement(t);
    return said::done;
}

said return_unstarted(database& db, transaction& t, int worker, std::span<const claimed_job> all) {
    db.begin_statement(t);
    std::vector<lease_version*> held;
    const auto ours = [&](const lease_row& s) {
        return s.worker == worker &&
               std::any_of(all.begin(), all.end(), [&](const auto& u) { return u.lease == s.id; });
    };
    if (!db.lease.lock(t, ours, wait, held)) {
        return said::waits;
    }
    std::vector<claimed_job> given;
    for (const claimed_job& u : all) {
        const auto h = std::find_if(held.begin(), held.end(),
                                    [&](const auto* s) { return s->row.id == u.lease; });
        if (h != held.end() && ((*h)->row.owes(u.job) || db.bug == planted_bug::returned_twice)) {
            given.push_back(u);
        }
    }
    for (const claimed_job& g : given) {
        if (const said answer = db.ready.admits(t, std::tuple{g.line, g.run_at, g.job});
            answer != said::done) {
            return answer;
        }
    }
    for (const claimed_job& g : given) {
        db.ready.insert(t, ready_row{.id = g.job,
                                     .line = g.line,
                                     .run_at = g.run_at,
                                     .used = g.used,
                                     .reconcile = g.reconcile});
    }
    std::vector<lease_row> shrunk;
    for (lease_version* h : held) {
        lease_row smaller = h->row;
        std::erase_if(smaller.jobs, [&](const auto& owed) {
            return std::any_of(given.begin(), given.end(), [&](const claimed_job& g) {
                return g.lease == h->row.id && g.job == owed.first;
            });
        });
        shrunk.push_back(std::move(smaller));
        h->remove(t);
    }
    for (lease_row& each : shrunk) {
        db.lease.insert(t, std::move(each));
    }
    db.end_statement(t);
    return said::done;
}

said release_leases(database& db, transaction& t, int worker, std::span<const int> leases) {
    db.begin_statement(t);
    std::vector<lease_version*> gone;
    const auto named = [&](const lease_row& s) {
        return s.worker == worker && std::find(leases.begin(), leases.end(), s.id) != leases.end();
    };
    if (!db.lease.lock(t, named, wait, gone)) {
        return said::waits;
    }
    for (lease_version* each : gone) {
        each->remove(t);
    }
    db.end_statement(t);
    return said::done;
}

said forgotten_leases(database& db, transaction& t, int worker, std::span<const int> known,
                      micros age) {
    db.begin_statement(t);
    std::vector<lease_version*> forgotten;
    const auto unknown = [&](const lease_row& s) {
        return s.worker == worker && s.claimed_at < db.now - age &&
               std::find(known.begin(), known.end(), s.id) == known.end();
    };
    if (!db.lease.lock(t, unknown, wait, forgotten)) {
        return said::waits;
    }
    if (db.bug == planted_bug::forgotten_never_returned) {
        return said::done;
    }
    std::vector<ready_row> returned;
    for (lease_version* f : forgotten) {
        for (const auto& [job, used] : f->row.jobs) {
            const auto* done = db.attempt.newest(t, std::pair{job, f->row.id});
            if (done != nullptr && done->visible(t)) {
                continue;
            }
            const place e = find_place(db, t, job);
            returned.push_back(ready_row{.id = job,
                                         .line = e.line,
                                         .run_at = e.run_at,
                                         .used = used,
                                         .reconcile = e.last_reconcile});
        }
    }
    for (const ready_row& row : returned) {
        if (const said answer = db.ready.admits(t, row.key()); answer != said::done) {
            return answer;
        }
    }
    for (const ready_row& row : returned) {
        db.ready.insert(t, row);
    }
    for (lease_version* f : forgotten) {
        f->remove(t);
    }
    db.end_statement(t);
    return said::done;
}

}  // namespace simulation::sql
