#include "world.hpp"

#include "process.hpp"

namespace simulation {
namespace {

constexpr micros drain_limit = 60 * second;
constexpr std::size_t notes_kept = 400;

}  // namespace

void tally::add(const tally& other) noexcept {
    events += other.events;
    jobs += other.jobs;
    crashes += other.crashes;
    poisoned += other.poisoned;
    freezes += other.freezes;
    rescues += other.rescues;
    refused += other.refused;
    doubts += other.doubts;
    orphans += other.orphans;
    waits += other.waits;
    violations += other.violations;
    operations += other.operations;
    strays += other.strays;
    forgotten += other.forgotten;
    apart += other.apart;
    returned += other.returned;
}

world::world(const settings& how) : chance{how.seed}, how_{how}, tracing_{how.trace} {
    db.bug = how.bug;
    db.now = second;
    build();
}

world::~world() = default;

void world::build() {
    calm_ = chance.percent(10);
    careful_ = chance.percent(60);
    faults_end_ = db.now + chance.between(1, 4) * second;
    const bool with_child = chance.percent(30);
    const int workers = static_cast<int>(chance.between(1, 3));
    for (int number = 0; number < workers + (with_child ? 1 : 0); ++number) {
        auto policy = with_child ? suspect_policy::leave : suspect_policy::alone;
        policy = number == workers ? suspect_policy::only : policy;
        processes_.push_back(std::make_unique<process>(*this, number, policy));
        after(chance.between(0, 20 * ms), what::restart, processes_.back().get());
    }
    to_produce_ = static_cast<int>(chance.between(2, careful_ ? 10 : 16));
    const bool poisonous = !calm_ && chance.percent(50);
    for (int intent = 0; intent < to_produce_; ++intent) {
        const bool bad = poisonous && chance.percent(25);
        poison_.push_back(bad ? (chance.percent(50) ? 100 : 50) : 0);
    }
    after(chance.between(0, 100 * ms), what::produce, nullptr);
    if (!calm_) {
        after(chance.between(0, 500 * ms), what::fault, nullptr);
        after(chance.between(0, 500 * ms), what::operate, nullptr);
    }
    after(faults_end_ - db.now, what::watch, nullptr);
}

void world::after(micros delay, what kind, process* whose, int argument) {
    queue_.push(happening{db.now + delay, order_++, kind, whose,
                          whose == nullptr ? 0 : whose->incarnation(), argument});
}

report world::run() {
    report told;
    try {
        while (!stopped_) {
            const happening next = queue_.top();
            queue_.pop();
            db.now = std::max(db.now, next.at);
            ++counts.events;
            happen(next);
        }
        truth.finish();
    } catch (const violation& broken) {
        told.broken = broken;
        for (const auto& each : db.ready.versions) {
            note([&] {
                return "job " + std::to_string(each.row.id) + " stands in line " +
                       std::to_string(each.row.line) + " for " +
                       std::to_string(each.row.run_at / ms) + " ms" +
                       (each.held_by_other(transaction{}) ? ", locked" : "");
            });
        }
        for (const auto& each : processes_) {
            note([&] { return each->describe(); });
        }
        note([&] { return "BROKEN: " + broken.invariant + ": " + broken.detail; });
    }
    counts.jobs = produced_;
    told.counts = counts;
    told.events = std::move(notes_);
    return told;
}

void world::happen(const happening& now) {
    if (now.whose != nullptr && now.kind != what::step && now.kind != what::reply) {
        if (now.incarnation == now.whose->incarnation()) {
            now.whose->happen(now.kind, now.argument);
        }
        return;
    }
    switch (now.kind) {
        case what::step:
            step(now.argument);
            return;
        case what::reply:
            reply(now.argument);
            return;
        case what::fault:
            make_fault();
            return;
        case what::produce:
            produce();
            return;
        case what::operate:
            operate();
            return;
        case what::watch:
            stop_faults();
            stopped_ = drained() || db.now > faults_end_ + drain_limit;
            after(100 * ms, what::watch, nullptr);
            return;
        case what::beat:
        case what::lane:
        case what::wake_lane:
        case what::sweep:
        case what::run_end:
        case what::hear_suspects:
        case what::cut:
        case what::restart:
            return;
    }
}

void world::send(std::unique_ptr<task> work, micros delay) {
    work->t = db.begin();
    const int id = static_cast<int>(tasks_.size());
    tasks_.push_back(std::move(work));
    ++open_;
    after(delay + chance.between(50, 800), what::step, nullptr, id);
}

void world::drop(int id) {
    tasks_[static_cast<std::size_t>(id)].reset();
    --open_;
    wake_waiting();
}

void world::wake_waiting() {
    for (std::size_t id = 0; id < tasks_.size(); ++id) {
        if (tasks_[id] != nullptr && tasks_[id]->waiting) {
            tasks_[id]->waiting = false;
            after(chance.between(0, 200), what::step, nullptr, static_cast<int>(id));
        }
    }
}

void world::step(int id) {
    task* work = tasks_[static_cast<std::size_t>(id)].get();
    if (work == nullptr || work->committed || work->waiting) {
        return;
    }
    if (work->interactive && work->owner != nullptr && work->owner->frozen()) {
        after(work->owner->thaws_in() + chance.between(0, ms), what::step, nullptr, id);
        return;
    }
    if (!work->complete) {
        const said answer = work->advance(*this);
        if (answer == said::waits) {
            ++counts.waits;
            note([&] { return std::string{work->name()} + " waits for a lock"; });
            work->waiting = true;
            return;
        }
        if (answer == said::violation) {
            db.abort(work->t);
            note([&] { return std::string{work->name()} + ": unique violation"; });
            if (!work->abandoned) {
                work->failed(*this, false);
            }
            drop(id);
            return;
        }
        const bool slow = faulty() && chance.percent(5);
        after(work->pause + chance.between(50, slow ? 30 * ms : 600), what::step, nullptr, id);
        return;
    }
    work->committed = true;
    if (work->rolls_back) {
        db.abort(work->t);
    } else {
        db.commit(work->t);
        truth.committed(work->by_operator);
    }
    if (work->abandoned) {
        drop(id);
        return;
    }
    wake_waiting();
    after(chance.between(50, 500), what::reply, nullptr, id);
}

void world::reply(int id) {
    task* work = tasks_[static_cast<std::size_t>(id)].get();
    if (work == nullptr) {
        return;
    }
    if (work->owner != nullptr && work->owner->frozen()) {
        after(work->owner->thaws_in() + chance.between(0, 5 * ms), what::reply, nullptr, id);
        return;
    }
    const std::unique_ptr<task> answered = std::move(tasks_[static_cast<std::size_t>(id)]);
    --open_;
    if (faulty() && chance.percent(2)) {
        note([&] { return std::string{answered->name()} + ": the answer is lost"; });
        answered->failed(*this, true);
        return;
    }
    answered->answered(*this);
}

void world::sever(process& whose, bool tell) {
    for (std::size_t id = 0; id < tasks_.size(); ++id) {
        task* work = tasks_[id].get();
        if (work == nullptr || work->owner != &whose || work->abandoned) {
            continue;
        }
        work->abandoned = true;
        if (tell) {
            work->failed(*this, true);
        }
        if (!work->committed && !work->interactive && chance.percent(60)) {
            ++counts.orphans;
            // Perhaps its commit waits for a disk or a standby.
            work->pause = chance.percent(50) ? chance.between(0, 400 * ms) : 0;
            note([&] { return std::string{work->name()} + " goes on without its client"; });
            continue;
        }
        if (!work->committed) {
            db.abort(work->t);
        }
        tasks_[id].reset();
        --open_;
    }
    wake_waiting();
}

void world::make_fault() {
    if (!faulty()) {
        return;
    }
    after(chance.between(30 * ms, 700 * ms), what::fault, nullptr);
    const auto at = static_cast<std::size_t>(
        chance.between(0, static_cast<std::int64_t>(processes_.size()) - 1));
    process& victim = *processes_[at];
    const auto dice = chance.between(1, 100);
    if (dice <= 30) {
        victim.crash("killed");
    } else if (dice <= 50) {
        victim.freeze(chance.between(50 * ms, 3 * second));
    } else if (dice <= 75) {
        victim.cut(chance.percent(70) ? 0 : chance.between(ms, 1'500 * ms));
    } else if (dice <= 85) {
        down_until_ = db.now + chance.between(10 * ms, chance.percent(30) ? 2 * second : 300 * ms);
        note([&] { return "the database is gone"; });
        for (const auto& each : processes_) {
            each->cut(down_until_ - db.now);
        }
    } else if (dice <= 89) {
        victim.step_clock(chance.between(-20, 20) * second);
    } else {
        victim.leave();
    }
}

void world::stop_faults() {
    for (const auto& each : processes_) {
        each->stop_faults();
    }
}

void world::produce() {
    sql::enqueue_request request;
    request.truth_intent = produced_;
    const bool keyed = chance.percent(60);
    request.key = keyed ? produced_ : -1;
    request.line = chance.percent(40) ? line_of_money : static_cast<int>(chance.between(1, lines));
    if (!careful_) {
        request.line = chance.percent(80) ? line_of_plain : line_of_urgent;
    }
    request.max_attempts = static_cast<int>(chance.between(1, 4));
    request.delay = !calm_ && chance.percent(20) ? chance.between(0, 500 * ms) : 0;
    // Long enough to fall behind the cursors, now and then.
    const micros hold = !calm_ && chance.percent(20) ? chance.between(ms, 400 * ms) : 0;
    send(std::make_unique<enqueue_task>(request, hold));
    if (++produced_ < to_produce_) {
        after(chance.between(0, chance.percent(50) ? 5 * ms : 400 * ms), what::produce, nullptr);
    }
}

void world::operate() {
    if (!faulty()) {
        return;
    }
    after(chance.between(10 * ms, 400 * ms), what::operate, nullptr);
    if (db.job.versions.empty()) {
        return;
    }
    const int job =
        static_cast<int>(chance.between(1, static_cast<std::int64_t>(db.job.versions.size())));
    const auto* fact = db.job.newest(transaction{}, job);
    if (fact == nullptr) {
        return;
    }
    const auto dice = chance.between(1, 100);
    const auto wanted = dice <= 35   ? sql::operation::cancel
                        : dice <= 65 ? sql::operation::retry
                                     : sql::operation::replay;
    for (int times = chance.percent(30) ? 2 : 1; times > 0; --times) {
        send(std::make_unique<operator_task>(sql::operator_call{wanted, job}));
    }
}

bool world::drained() const {
    if (produced_ < to_produce_ || db.now < faults_end_) {
        return false;
    }
    for (const auto& each : tasks_) {
        if (each != nullptr && each->owner == nullptr) {
            return false;
        }
    }
    return truth.all_final();
}

bool world::kills(int job) {
    const int percent =
        poison_.at(static_cast<std::size_t>(db.job.newest(transaction{}, job)->row.truth_intent));
    return percent > 0 && chance.percent(percent);
}

void world::tell_suspects() {
    for (const auto& each : processes_) {
        after(chance.between(100, 5 * ms), what::hear_suspects, each.get());
    }
}

void world::append_note(std::string text) {
    notes_.push_back(std::to_string(db.now / ms) + "." + std::to_string(db.now % ms / 100) +
                     " ms  " + std::move(text));
    if (notes_.size() > notes_kept) {
        notes_.erase(notes_.begin());
    }
}

said enqueue_task::advance(world& w) {
    if (!inserted_) {
        const said answer = sql::enqueue(w.db, t, request_);
        inserted_ = answer == said::done;
        pause = hold_;
        return answer;
    }
    complete = true;
    return said::done;
}

void enqueue_task::answered(world& w) {
    w.note([&] {
        return "enqueued job " + std::to_string(request_.id) + " on line " +
               std::to_string(request_.line) + (request_.duplicate ? " (known)" : "");
    });
    w.truth.enqueue_answered(request_.truth_intent, request_.id);
}

void enqueue_task::failed(world& w, bool in_doubt) {
    if (in_doubt && request_.key >= 0) {
        // At times longer than the job takes.
        w.send(std::make_unique<enqueue_task>(request_, 0), w.chance.between(0, 2 * second));
    }
}

said operator_task::advance(world& w) {
    const said answer = sql::perform(w.db, t, call_);
    complete = answer == said::done && call_.finished;
    rolls_back = call_.refused;
    return answer;
}

void operator_task::answered(world& w) {
    static constexpr std::array names{"cancel", "retry", "replay"};
    w.counts.operations += call_.refused ? 0 : 1;
    w.note([&] {
        return std::string{names.at(static_cast<std::size_t>(call_.what))} + " of job " +
               std::to_string(call_.job) + (call_.refused ? " refused" : "");
    });
}

void operator_task::failed(world& w, bool in_doubt) {
    (void)w;
    (void)in_doubt;
}

}  // namespace simulation
