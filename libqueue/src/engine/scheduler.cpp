#include "engine/scheduler.hpp"

#include "engine/runtime.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace libqueue::engine {
namespace {

// One statement: a rescue waits for it at most.
constexpr std::int32_t statement_ms{50};
// Each in a savepoint; see queue.fire_schedules.
constexpr std::int32_t batch{50};
// What is due is locked by others, who fire it.
constexpr std::chrono::milliseconds others_pause{100};
// The server read its clock a little after we read ours.
constexpr std::chrono::milliseconds margin{1};

enum fired_column : int { col_fired, col_skipped, col_failed, col_problem, col_wait };

clock::time_point time_of(clock::time_point asked_at, std::optional<std::int64_t> wait_us) {
    // A century from now is never, and would not fit into the clock's nanoseconds.
    constexpr std::int64_t never{std::int64_t{100} * 366 * 86'400 * 1'000'000};
    if (!wait_us || *wait_us > never) {
        return clock::time_point::max();
    }
    return asked_at + std::chrono::microseconds{std::max<std::int64_t>(0, *wait_us)} + margin;
}

}  // namespace

bool scheduler::observe(clock::time_point asked_at, std::optional<std::int64_t> wait_us) {
    // A worker that runs suspects only leaves the schedules to the others.
    if (shared_.options.suspects == suspect_policy::only) {
        return false;
    }
    const auto told = time_of(asked_at, wait_us);
    const bool earlier = told < due_;
    due_ = told;
    return earlier;
}

void scheduler::postpone(clock::time_point until) {
    if (due_ < until) {
        due_ = until;
    }
}

boost::asio::awaitable<void> scheduler::run_once() {
    const auto asked_at = clock::now();
    if (asked_at < due_) {
        co_return;
    }
    pg::params p;
    p.int4(statement_ms).int4(batch);
    connection_.send(shared_.sql.fire_schedules, p);
    const std::vector<pg::result> results = co_await connection_.run();
    const pg::result& row = results.at(0);
    const std::int64_t fired = row.binary_int64(0, col_fired);
    const std::int64_t failed = row.binary_int64(0, col_failed);
    std::optional<std::int64_t> wait;
    if (!row.is_null(0, col_wait)) {
        wait = row.binary_int64(0, col_wait);
    }
    due_ = time_of(asked_at, wait);
    if (fired == 0 && failed == 0 && row.binary_int64(0, col_skipped) == 0) {
        postpone(clock::now() + others_pause);
    }
    if (fired > 0) {
        shared_.report(event_type::schedules_fired, "", fired);
    }
    if (failed > 0) {
        shared_.report(event_type::schedule_failed, row.text(0, col_problem), failed);
    }
}

}  // namespace libqueue::engine
