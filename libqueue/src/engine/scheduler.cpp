#include "engine/scheduler.hpp"

#include "engine/runtime.hpp"

#include <algorithm>
#include <vector>

namespace libqueue::engine {
namespace {

// One statement: a rescue waits for it at most.
constexpr std::int32_t statement_ms{50};
// Each in a savepoint; see queue.fire_schedules.
constexpr std::int32_t batch{50};
// What is due is locked by others, who fire it.
constexpr std::chrono::milliseconds others_pause{100};
constexpr int others_share{20};
// Over all slots, although nobody said that anything changed. Without LISTEN nobody can.
constexpr std::chrono::seconds whole_look{60};
constexpr std::chrono::seconds whole_look_deaf{10};
// The server read its clock a little after we read ours.
constexpr std::chrono::milliseconds margin{1};

enum fired_column : int {
    col_fired,
    col_skipped,
    col_failed,
    col_problem,
    col_last_at,
    col_last_id,
    col_next_at,
    col_wait,
};

clock::time_point time_of(const schedule_sight& seen) {
    // A century from now is never, and would not fit into the clock's nanoseconds.
    constexpr std::int64_t never{std::int64_t{100} * 366 * 86'400 * 1'000'000};
    if (!seen.next_at || seen.wait_us > never) {
        return clock::time_point::max();
    }
    return seen.asked_at + std::chrono::microseconds{std::max<std::int64_t>(0, seen.wait_us)} +
           margin;
}

}  // namespace

std::optional<std::int64_t> scheduler::floor() const {
    return clock::now() < next_look_ ? known_ : std::nullopt;
}

void scheduler::forget() {
    forgot_at_ = clock::now();
    next_look_ = {};
}

bool scheduler::observe(const schedule_sight& seen) {
    // A worker that runs suspects only leaves the schedules to the others. One that is firing knows
    // better, and so does who was told of a change after that question was put.
    if (shared_.options.suspects == suspect_policy::only || behind_.has_value() ||
        (!seen.everywhere && next_look_ == clock::time_point{})) {
        return false;
    }
    const auto before = due_;
    learn(seen);
    return due_ < before;
}

void scheduler::learn(const schedule_sight& seen) {
    due_ = time_of(seen);
    if (!seen.everywhere) {
        known_ = seen.next_at ? seen.next_at : known_;
    } else if (seen.asked_at >= forgot_at_) {
        known_ = seen.next_at;
        next_look_ = seen.asked_at + (shared_.options.listen ? whole_look : whole_look_deaf);
    }
}

void scheduler::postpone(clock::time_point until) {
    if (due_ < until) {
        due_ = until;
    }
}

boost::asio::awaitable<void> scheduler::run_once() {
    schedule_sight seen{clock::now()};
    if (seen.asked_at < due_) {
        co_return;
    }
    pg::params p;
    p.int4(statement_ms).int4(batch);
    if (behind_) {
        p.int8(behind_->first).int8(behind_->second);
    } else {
        p.null().null();
    }
    const bool from_start = !behind_.has_value();
    behind_.reset();  // should this fail
    connection_.send(shared_.sql.fire_schedules, p);
    const std::vector<pg::result> results = co_await connection_.run();
    const pg::result& row = results.at(0);
    if (!row.is_null(0, col_next_at)) {
        seen.next_at = row.binary_int64(0, col_next_at);
        seen.wait_us = row.binary_int64(0, col_wait);
    }
    const bool more = seen.next_at && seen.wait_us <= 0;
    const bool idle = row.binary_int64(0, col_fired) == 0 &&
                      row.binary_int64(0, col_skipped) == 0 && row.binary_int64(0, col_failed) == 0;
    report(row);
    if (!idle && more) {
        behind_ = {row.binary_int64(0, col_last_at), row.binary_int64(0, col_last_id)};
        due_ = clock::now();
    } else if (!idle || !from_start) {
        due_ = clock::now();  // once more over all that is due: others may have left something
    } else {
        learn(seen);
        if (more) {
            const auto now = clock::now();
            postpone(now +
                     std::max<clock::duration>(others_pause, (now - seen.asked_at) * others_share));
        }
    }
}

void scheduler::report(const pg::result& row) const {
    if (const std::int64_t fired = row.binary_int64(0, col_fired); fired > 0) {
        shared_.report(event_type::schedules_fired, "", fired);
    }
    if (const std::int64_t failed = row.binary_int64(0, col_failed); failed > 0) {
        shared_.report(event_type::schedule_failed, row.text(0, col_problem), failed);
    }
}

}  // namespace libqueue::engine
