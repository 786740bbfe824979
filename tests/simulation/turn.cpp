#include "process.hpp"

#include <algorithm>
#include <iterator>

// The turn, as engine/lane and engine/turn have it.
namespace simulation {
namespace {

/// One flush: acknowledge, give back, claim.
class turn_task final : public task {
   public:
    turn_task(process& whose, int lane, int worker) : lane_{lane}, worker_{worker} {
        owner = &whose;
    }

    said advance(world& w) override {
        said answer = said::done;
        do {
            answer = statement(w, phase_);
            phase_ += answer == said::done ? 1 : 0;
        } while (answer == said::done && phase_ < 5 && !has(phase_));
        complete = answer == said::done && phase_ >= 5 + claims.size();
        return answer;
    }
    void answered(world& w) override {
        (void)w;
        owner->turn_answered(lane_, worker_, batch, returns, standing_, claims);
    }
    void failed(world& w, bool in_doubt) override {
        w.counts.doubts += in_doubt ? 1 : 0;
        w.counts.violations += in_doubt ? 0 : 1;
        owner->turn_failed(lane_, batch, returns, claims, in_doubt);
    }
    [[nodiscard]] const char* name() const noexcept override { return "turn"; }

    std::vector<sql::telling> batch;
    std::vector<run_ptr> returns;
    std::vector<int> done;
    std::vector<claim_sent> claims;

   private:
    [[nodiscard]] bool has(std::size_t phase) const noexcept {
        return phase < 3 ? !batch.empty() : phase == 3 ? !returns.empty() : !done.empty();
    }
    said statement(world& w, std::size_t phase) {
        switch (phase) {
            case 0:
                return sql::finish_completed(w.db, t, worker_, batch, standing_);
            case 1:
                return sql::finish_other(w.db, t, worker_, batch, standing_);
            case 2:
                return sql::bury(w.db, t, batch);
            case 3: {
                std::vector<sql::claimed_job> given;
                for (const run_ptr& run : returns) {
                    given.push_back(run->what);
                }
                return sql::return_unstarted(w.db, t, worker_, given);
            }
            case 4:
                return sql::release_leases(w.db, t, worker_, done);
            default:
                return phase - 5 < claims.size() ? claim(w, claims[phase - 5]) : said::done;
        }
    }
    said claim(world& w, claim_sent& sent) {
        if (sent.what == claim_of::strays) {
            w.counts.strays += static_cast<std::int64_t>(sent.strays.size());
            return sql::claim_strays(w.db, t, worker_, sent.strays, sent.rows);
        }
        const said answer = sql::claim(w.db, t, worker_, sent.lines, sent.reserved, sent.rows);
        for (const sql::claimed_job& row : sent.rows) {
            if (w.calm()) {
                w.truth.claimed_in_order(row.line, row.run_at, row.job);
            }
        }
        return answer;
    }

    int lane_;
    int worker_;
    std::size_t phase_{0};
    std::vector<int> standing_;
};

bool names(const std::vector<int>& ids, int id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

int process::free_slots() const noexcept {
    return std::max(0, slots_ - static_cast<int>(running_.size()));
}

bool process::may_claim() const noexcept {
    return worker_id_ != 0 && !draining_ && w_.db.now - last_beat_ < lease_time * 4 / 5;
}

int process::budget() {
    libqueue::core::claim_situation now;
    now.slots = slots_;
    now.free = free_slots();
    now.unstarted = static_cast<int>(unstarted_.size()) + claiming_;
    // Kinds that a loss costs something are claimed for free slots only, nothing ahead.
    now.rate = w_.careful() ? 0 : finished_.rate(clock());
    now.turn_time = 0.5;  // a slow network: enough to claim ahead
    now.batch_max = 20;
    return libqueue::core::claim_budget(now);
}

void process::look(int number) {
    lane& of = lanes_[static_cast<std::size_t>(number)];
    if (worker_id_ == 0 || of.busy || !connected() || w_.db.now < of.not_before) {
        return;
    }
    if (!of.doubtful.empty()) {
        settle_doubt(of);
    }
    turn(number);
}

void process::settle_doubt(lane& of) {
    std::vector<sql::telling> unheard;
    for (const sql::telling& ack : of.doubtful) {
        if (!sql::find_finished(w_.db, ack.job, ack.lease)) {
            unheard.push_back(ack);
        } else if (const auto held = of.leases.find(ack.lease);
                   held != of.leases.end() && --held->second <= 0) {
            of.leases.erase(held);
        }
    }
    of.doubtful.clear();
    of.pending.insert(of.pending.begin(), unheard.begin(), unheard.end());
}

void process::turn(int number) {
    lane& of = lanes_[static_cast<std::size_t>(number)];
    auto sent = std::make_unique<turn_task>(*this, number, worker_id_);
    const auto most =
        of.isolating ? std::min<std::size_t>(1, of.pending.size()) : of.pending.size();
    const auto end = of.pending.begin() + static_cast<std::ptrdiff_t>(most);
    sent->batch.assign(of.pending.begin(), end);
    of.pending.erase(of.pending.begin(), end);
    sent->returns = std::exchange(of.returning, {});
    sent->done = leases_done(of, sent->batch, sent->returns);
    if (w_.db.bug == planted_bug::release_before_finish && !sent->done.empty()) {
        transaction early = w_.db.begin();
        if (sql::release_leases(w_.db, early, worker_id_, sent->done) == said::done) {
            w_.db.commit(early);
            w_.truth.committed(false);
        } else {
            w_.db.abort(early);
        }
    }
    add_claims(number, sent->claims);
    of.isolating = of.isolating && !of.pending.empty();
    if (sent->batch.empty() && sent->returns.empty() && sent->claims.empty()) {
        return;
    }
    of.busy = true;
    of.busy_since = w_.db.now;
    w_.send(std::move(sent));
}

std::vector<int> process::leases_done(const lane& of, const std::vector<sql::telling>& batch,
                                      const std::vector<run_ptr>& returns) const {
    std::map<int, int> said_of;
    for (const sql::telling& ack : batch) {
        ++said_of[ack.lease];
    }
    for (const run_ptr& run : returns) {
        ++said_of[run->what.lease];
    }
    std::vector<int> done;
    for (const auto& [lease, jobs] : said_of) {
        const auto held = of.leases.find(lease);
        if (held != of.leases.end() && held->second <= jobs) {
            done.push_back(lease);
        }
    }
    return done;
}

void process::add_claims(int number, std::vector<claim_sent>& claims) {
    const bool isolating = lanes_[static_cast<std::size_t>(number)].isolating;
    if (isolating || !may_claim()) {
        return;
    }
    if (number == 0 && looking_ && !suspect_claiming_ && nothing_runs()) {
        claim_sent one;
        one.what = claim_of::suspect;
        one.reserved = w_.db.bug == planted_bug::suspects_run_together ? 2 : 1;
        for (const own_line& line : lines_) {
            one.lines.push_back(sql::wanted_line{.line = -line.id, .most = one.reserved});
        }
        claiming_ += one.reserved;
        suspect_claiming_ = true;
        claims.push_back(std::move(one));
    }
    if (!admits_others()) {
        return;
    }
    if (const int room = budget(); room > 0 && !strays_.empty()) {
        claim_sent some;
        some.what = claim_of::strays;
        const auto most = std::min(strays_.size(), static_cast<std::size_t>(room));
        some.strays.assign(strays_.begin(), strays_.begin() + static_cast<std::ptrdiff_t>(most));
        strays_.erase(strays_.begin(), strays_.begin() + static_cast<std::ptrdiff_t>(most));
        some.reserved = static_cast<int>(most);
        claiming_ += some.reserved;
        claims.push_back(std::move(some));
    }
    if (const int most = budget(); most > 0) {
        claims.push_back(claim_lines(most));
        claiming_ += most;
    }
}

claim_sent process::claim_lines(int most) {
    using libqueue::core::lost_policy;
    claim_sent sent;
    sent.reserved = most;
    std::vector<own_line*> order;
    for (own_line& line : lines_) {
        order.push_back(&line);
    }
    std::stable_sort(order.begin(), order.end(), [](const own_line* a, const own_line* b) {
        const int before = facts_of_line(a->id).priority;
        const int after = facts_of_line(b->id).priority;
        return before != after ? before < after : a->cursor.furthest() < b->cursor.furthest();
    });
    // The planted bug: lines that may have nothing in them use the room up.
    const bool starves = w_.db.bug == planted_bug::empty_line_takes_room;
    int free = std::max(0, free_slots() - claiming_ - static_cast<int>(unstarted_.size()));
    for (own_line* line : order) {
        const bool careful = facts_of_line(line->id).on_lost != lost_policy::retry;
        const int of_line = starves && careful ? std::min(most, free) : most;
        if (of_line <= 0) {
            continue;
        }
        free -= careful ? of_line : 0;
        const libqueue::core::line_place& from = line->cursor.position(clock());
        sent.lines.push_back(sql::wanted_line{.line = line->id,
                                              .after_run_at = from.run_at,
                                              .after_id = static_cast<int>(from.id),
                                              .most = of_line});
    }
    return sent;
}

void process::turn_answered(int number, int worker, std::vector<sql::telling> batch,
                            const std::vector<run_ptr>& returns, const std::vector<int>& standing,
                            const std::vector<claim_sent>& claims) {
    lane& of = lanes_[static_cast<std::size_t>(number)];
    of.busy = false;
    for (const claim_sent& sent : claims) {
        accept_claim(number, worker, sent);
    }
    accept_finished(of, batch, returns, standing);
    if (draining_) {
        give_back_unstarted();
    }
    pump();
    const bool got_some = std::any_of(claims.begin(), claims.end(),
                                      [](const claim_sent& sent) { return !sent.rows.empty(); });
    if (got_some || !of.pending.empty() || !of.returning.empty()) {
        w_.after(0, what::wake_lane, this, number);
    }
}

void process::accept_finished(lane& of, const std::vector<sql::telling>& batch,
                              const std::vector<run_ptr>& returns,
                              const std::vector<int>& standing) {
    const auto settle = [&of](int lease) {
        if (const auto held = of.leases.find(lease);
            held != of.leases.end() && --held->second <= 0) {
            of.leases.erase(held);
        }
    };
    for (const sql::telling& ack : batch) {
        if (names(standing, ack.lease)) {
            settle(ack.lease);
            continue;
        }
        ++w_.counts.refused;
        w_.note([&] {
            return "the finish of job " + std::to_string(ack.job) + " under lease " +
                   std::to_string(ack.lease) + " is refused";
        });
        of.leases.erase(ack.lease);
        lose_lease(ack.lease);
    }
    for (const run_ptr& run : returns) {
        ++w_.counts.returned;
        settle(run->what.lease);
    }
}

void process::accept_claim(int number, int worker, const claim_sent& sent) {
    claiming_ -= sent.reserved;
    if (sent.what == claim_of::suspect) {
        suspect_claiming_ = false;
        one_runs_ = !sent.rows.empty();
        if (sent.rows.empty()) {
            stop_looking();
        }
    }
    if (worker_id_ != worker || sent.rows.empty()) {
        return;
    }
    for (const sql::claimed_job& row : sent.rows) {
        auto run = std::make_shared<handler_run>();
        run->what = row;
        run->lane = number;
        unstarted_.push_back(std::move(run));
    }
    for (own_line& line : lines_) {
        libqueue::core::line_place last;
        int rows = 0;
        for (const sql::claimed_job& row : sent.rows) {
            if (row.line == line.id) {
                last = std::max(last, libqueue::core::line_place{row.run_at, row.job});
                ++rows;
            }
        }
        if (rows > 0 && sent.what == claim_of::line) {
            line.cursor.advance(last, rows, clock());
        }
    }
    std::stable_sort(unstarted_.begin(), unstarted_.end(), [](const run_ptr& a, const run_ptr& b) {
        const auto place = [](const run_ptr& run) {
            return std::tuple{run->kind().priority, run->what.run_at, run->what.job};
        };
        return place(a) < place(b);
    });
    lanes_[static_cast<std::size_t>(number)].leases[sent.rows.front().lease] +=
        static_cast<int>(sent.rows.size());
}

void process::lose_lease(int lease) {
    for (const run_ptr& run : running_) {
        run->finished = run->finished || run->what.lease == lease;
    }
    std::erase_if(unstarted_, [lease](const run_ptr& run) { return run->what.lease == lease; });
}

void process::turn_failed(int number, std::vector<sql::telling> batch, std::vector<run_ptr> returns,
                          const std::vector<claim_sent>& claims, bool in_doubt) {
    lane& of = lanes_[static_cast<std::size_t>(number)];
    of.busy = false;
    of.not_before = w_.db.now + 50 * ms;
    for (const claim_sent& sent : claims) {
        claiming_ -= sent.reserved;
        suspect_claiming_ = suspect_claiming_ && sent.what != claim_of::suspect;
    }
    // A unique violation is a doubt as well: an old backend has said it meanwhile.
    of.doubtful.insert(of.doubtful.begin(), batch.begin(), batch.end());
    of.returning.insert(of.returning.begin(), returns.begin(), returns.end());
    of.isolating = of.isolating || !in_doubt;
}

}  // namespace simulation
