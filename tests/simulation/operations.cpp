#include "statements.hpp"

#include <cstdlib>

// What sweeps, operators and producers say: the other half of statements.hpp.
namespace simulation::sql {
namespace {

const attempt_row* latest_attempt(const database& db, const transaction& t, int job) {
    const attempt_row* latest = nullptr;
    for (const auto& each : db.attempt.versions) {
        if (each.visible(t) && each.row.job == job &&
            (latest == nullptr || each.row.lease > latest->lease)) {
            latest = &each.row;
        }
    }
    return latest;
}

void append_operation(database& db, const transaction& t, int job, ending outcome, int attempt,
                      bool reconcile) {
    attempt_row row;
    row.job = job;
    row.lease = db.next_lease++;
    row.outcome = outcome;
    row.attempt = attempt;
    row.reconcile = reconcile;
    row.next_run_at = outcome == ending::replayed ? db.now : -1;
    db.attempt.insert(t, row);
}

void revive(database& db, const transaction& t, int job) {
    const attempt_row* a = latest_attempt(db, t, job);
    const bool open_effect = a != nullptr && (a->outcome == ending::unknown || a->reconcile);
    append_operation(db, t, job, ending::replayed, 0, open_effect);
    const int line = db.job.newest(t, job)->row.line;
    db.ready.insert(
        t,
        ready_row{.id = job, .line = line, .run_at = db.now, .used = 0, .reconcile = open_effect});
    for (auto& c : db.cancel_request.versions) {
        if (c.current(t) && c.row.job == job && !c.held_by_other(t)) {
            c.remove(t);
        }
    }
}

/// take_waiting: phases 0 (where does it stand) and 1 (take it from there) until it holds still.
said take_waiting(database& db, transaction& t, operator_call& call) {
    if (call.phase == 0) {
        const place now = find_place(db, t, call.job);
        const bool still = call.have_before && now == call.before;
        call.before = now;
        call.have_before = true;
        call.phase = still || now.final ? 3 : 1;
        if (call.phase != 1) {
            return said::done;
        }
        // The place is read and the row deleted by two statements.
        return said::done;
    }
    std::vector<version<ready_row>*> found;
    const auto key = std::tuple{call.before.line, call.before.run_at, call.job};
    if (!db.ready.lock(
            t, [&](const ready_row& r) { return r.key() == key; },
            table<ready_row>::locked_rows::wait, found)) {
        return said::waits;
    }
    call.phase = found.empty() ? 0 : 2;
    if (!found.empty()) {
        call.held = found.front()->row;
        found.front()->remove(t);
    }
    return said::done;
}

said cancel(database& db, transaction& t, operator_call& call) {
    call.finished = true;
    if (call.phase == 2) {
        append_operation(db, t, call.job, ending::cancelled, call.held.used, call.held.reconcile);
        return said::done;
    }
    if (call.before.final) {
        call.refused = true;
        return said::done;
    }
    const said answer = db.cancel_request.admits(t, call.job);
    if (answer == said::done) {
        db.cancel_request.insert(t, cancel_row{call.job});
    }
    return answer == said::violation ? said::done : answer;  // ON CONFLICT DO NOTHING
}

said retry_dead(database& db, transaction& t, operator_call& call) {
    if (call.phase == 3) {
        call.finished = call.refused =
            !call.before.final || call.before.last_outcome == ending::completed;
        std::vector<version<job_row>*> locked;
        if (!call.refused && !db.job.lock(
                                 t, [&](const job_row& j) { return j.id == call.job; },
                                 table<job_row>::locked_rows::wait, locked)) {
            return said::waits;
        }
        call.phase = 4;
        return said::done;
    }
    if (call.phase == 4) {
        const place now = find_place(db, t, call.job);
        call.finished = call.refused = !now.final || now.last_outcome == ending::completed;
        if (db.bug == planted_bug::retry_reads_once) {
            call.finished = call.refused = !now.final;
        } else {
            call.before = now;
        }
        call.phase = call.before.last_outcome == ending::cancelled ? 6 : 5;
        return said::done;
    }
    if (call.phase == 5) {
        std::vector<version<letter_row>*> letters;
        if (!db.dead_letter.lock(
                t, [&](const letter_row& d) { return d.job == call.job; },
                table<letter_row>::locked_rows::wait, letters)) {
            return said::waits;
        }
        call.finished = call.refused = letters.empty();
        if (!letters.empty()) {
            letters.front()->remove(t);
        }
        call.phase = 6;
        return said::done;
    }
    revive(db, t, call.job);
    call.finished = true;
    return said::done;
}

said retry(database& db, transaction& t, operator_call& call) {
    if (call.phase != 2) {
        return retry_dead(db, t, call);
    }
    append_operation(db, t, call.job, ending::replayed, call.held.used, call.held.reconcile);
    ready_row due = call.held;
    due.line = std::abs(due.line);
    due.run_at = db.now;
    db.ready.insert(t, due);
    call.finished = true;
    return said::done;
}

said replay(database& db, transaction& t, operator_call& call) {
    if (call.phase == 0) {
        std::vector<version<letter_row>*> letters;
        if (db.bug == planted_bug::double_replay) {
            for (auto& each : db.dead_letter.versions) {
                if (each.visible(t) && each.row.job == call.job) {
                    letters.push_back(&each);
                }
            }
        } else {
            (void)db.dead_letter.lock(
                t, [&](const letter_row& d) { return d.job == call.job; },
                table<letter_row>::locked_rows::skip, letters);
        }
        call.finished = call.refused = letters.empty();
        if (!letters.empty() && !letters.front()->held_by_other(t)) {
            letters.front()->remove(t);
        }
        call.phase = 1;
        return said::done;
    }
    revive(db, t, call.job);
    call.finished = true;
    return said::done;
}

}  // namespace

place find_place(database& db, const transaction& t, int job) {
    const auto* fact = db.job.newest(t, job);
    place found;
    found.line = fact->row.line;
    found.run_at = fact->row.run_at;
    if (const attempt_row* a = latest_attempt(db, t, job); a != nullptr) {
        found.has_last = true;
        found.last_outcome = a->outcome;
        found.last_attempt = a->attempt;
        found.last_reconcile = a->reconcile;
        found.final = a->next_run_at < 0;
        found.run_at = found.final ? found.run_at : a->next_run_at;
        found.line = a->outcome == ending::lost ? -found.line : found.line;
    }
    return found;
}

said perform(database& db, transaction& t, operator_call& call) {
    db.begin_statement(t);
    said answer = said::done;
    if (call.what == operation::replay) {
        answer = replay(db, t, call);
    } else if (call.phase < 2) {
        answer = take_waiting(db, t, call);
    } else {
        answer = call.what == operation::cancel ? cancel(db, t, call) : retry(db, t, call);
    }
    if (answer == said::waits) {
        call.finished = false;
    } else {
        db.end_statement(t);
    }
    return answer;
}

said enqueue(database& db, transaction& t, enqueue_request& request) {
    db.begin_statement(t);
    request.duplicate = false;
    if (request.key >= 0) {
        const said answer = db.idempotency.admits(t, request.key);
        if (answer == said::waits) {
            return answer;
        }
        if (answer == said::violation) {
            db.end_statement(t);
            request.id = db.idempotency.newest(t, request.key)->row.job;
            request.duplicate = true;
            return said::done;
        }
    }
    request.id = db.next_job++;
    if (request.key >= 0) {
        db.idempotency.insert(t, key_row{request.key, request.id});
    }
    const micros due = db.now + request.delay;
    job_row job{.id = request.id,
                .line = request.line,
                .run_at = due,
                .max_attempts = request.max_attempts,
                .truth_intent = request.truth_intent};
    db.job.insert(t, job);
    ready_row ready{.id = request.id, .line = request.line, .run_at = due, .used = 0};
    db.ready.insert(t, ready);
    db.end_statement(t);
    return said::done;
}

bool find_finished(database& db, int job, int lease) {
    return std::any_of(db.attempt.versions.begin(), db.attempt.versions.end(), [&](const auto& a) {
        return a.committed() && a.row.job == job && a.row.lease == lease;
    });
}

places find_strays(database& db, std::span<const wanted_line> before) {
    places found;
    for (const auto& x : db.ready.versions) {
        for (const wanted_line& w : before) {
            const auto at = std::pair{x.row.run_at, x.row.id};
            if (x.committed() && x.row.line == w.line &&
                at <= std::pair{w.after_run_at, w.after_id}) {
                found.emplace_back(x.row.line, at);
            }
        }
    }
    return found;
}

bool find_suspects(database& db, std::span<const int> lines) {
    return std::any_of(db.ready.versions.begin(), db.ready.versions.end(), [&](const auto& x) {
        return x.committed() && x.row.run_at <= db.now &&
               std::find(lines.begin(), lines.end(), -x.row.line) != lines.end();
    });
}

std::vector<liveness> list_liveness(database& db) {
    std::vector<liveness> rows;
    for (const auto& w : db.worker.versions) {
        if (w.committed()) {
            liveness row;
            row.worker = w.row.id;
            row.beats = w.row.beats;
            row.beat_at = w.row.beat_at;
            row.session_gone = !w.row.session_lock;
            rows.push_back(row);
        }
    }
    for (const auto& s : db.lease.versions) {
        const bool known = std::any_of(rows.begin(), rows.end(), [&](const liveness& row) {
            return row.worker == s.row.worker;
        });
        if (s.committed() && !known) {
            liveness row;
            row.worker = s.row.worker;
            rows.push_back(row);
        }
    }
    return rows;
}

bool lock_dead_worker(database& db, transaction& t, int worker, std::int64_t beats) {
    db.begin_statement(t);
    std::vector<version<worker_row>*> found;
    (void)db.worker.lock(
        t, [&](const worker_row& w) { return w.id == worker && w.beats == beats; },
        table<worker_row>::locked_rows::skip, found);
    db.end_statement(t);
    return !found.empty();
}

std::vector<int> lock_leases(database& db, transaction& t, int worker) {
    db.begin_statement(t);
    std::vector<version<lease_row>*> found;
    (void)db.lease.lock(
        t, [&](const lease_row& s) { return s.worker == worker; },
        table<lease_row>::locked_rows::skip, found);
    db.end_statement(t);
    std::vector<int> ids;
    for (const auto* each : found) {
        ids.push_back(each->row.id);
    }
    return ids;
}

std::vector<owed_job> list_owed(database& db, transaction& t, std::span<const int> leases) {
    db.begin_statement(t);
    std::vector<owed_job> rows;
    for (const int id : leases) {
        for (const auto& [job, used] : db.lease.newest(t, id)->row.jobs) {
            if (const auto* a = db.attempt.newest(t, std::pair{job, id});
                a != nullptr && a->visible(t)) {
                continue;
            }
            std::map<int, const attempt_row*> history;  // by lease, from the last replay on
            for (const auto& a : db.attempt.versions) {
                if (a.visible(t) && a.row.job == job) {
                    history[a.row.lease] = &a.row;
                }
            }
            for (auto last = history.rbegin(); last != history.rend(); ++last) {
                if (last->second->outcome == ending::replayed) {
                    history.erase(history.begin(), history.find(last->first));
                    break;
                }
            }
            owed_job owed;
            owed.lease = id;
            owed.job = job;
            owed.used = used;
            owed.line = db.job.newest(t, job)->row.line;
            for (auto h = history.begin(); h != history.end(); ++h) {
                const bool lost = h->second->outcome == ending::lost;
                const bool before =
                    h != history.begin() && std::prev(h)->second->outcome == ending::lost;
                const auto next = std::next(h);
                const bool last = next == history.end();
                owed.crashes +=
                    lost && (before || last || next->second->outcome == ending::lost) ? 1 : 0;
                owed.suspect = last && lost;
                owed.reconcile = last && h->second->reconcile;
            }
            rows.push_back(owed);
        }
    }
    db.end_statement(t);
    return rows;
}

void deregister_worker(database& db, transaction& t, int worker) {
    if (auto* row = db.worker.newest(t, worker); row != nullptr && !row->held_by_other(t)) {
        row->remove(t);
    }
}

said assert_lease(database& db, transaction& t, int job, int lease, bool& stands) {
    db.begin_statement(t);
    std::vector<version<lease_row>*> found;
    if (!db.lease.lock(
            t, [&](const lease_row& s) { return s.id == lease && s.owes(job); },
            table<lease_row>::locked_rows::wait, found)) {
        return said::waits;
    }
    db.end_statement(t);
    db.begin_statement(t);
    const auto* done = db.attempt.newest(t, std::pair{job, lease});
    stands = !found.empty() && (done == nullptr || !done->visible(t));
    db.end_statement(t);
    return said::done;
}

}  // namespace simulation::sql
