#include "engine/batch_folder.hpp"

#include "engine/runtime.hpp"

#include <algorithm>
#include <vector>

namespace libqueue::engine {
namespace {

// One statement: a rescue waits for it at most.
constexpr std::int32_t statement_ms{50};
constexpr std::int32_t tallies{2'000};
// Folding more often makes no batch end noticeably earlier, and each time costs a commit.
constexpr std::chrono::milliseconds pause{50};
constexpr int share{20};
// Another session holds the batch: a worker for milliseconds, somebody's transaction for longer.
constexpr std::chrono::milliseconds passed_pause_min{50};
constexpr std::chrono::seconds passed_pause_max{2};

enum fold_column : int {
    col_folded,
    col_ended,
    col_problem,
    col_more,
    col_passed,
    col_up_to,
    col_drawn,
    col_next_xid,
    col_oldest_xid,
};

}  // namespace

clock::time_point batch_folder::due() const {
    // A worker that runs suspects only leaves the batches to the others.
    if (shared_.options.suspects == suspect_policy::only ||
        !(pending_ || shared_.batches_counted)) {
        return clock::time_point::max();
    }
    return earliest_;
}

void batch_folder::postpone(clock::time_point until) {
    pending_ = true;  // what was under way may not have happened
    earliest_ = std::max(earliest_, until);
}

boost::asio::awaitable<void> batch_folder::run_once() {
    const auto begun = clock::now();
    if (begun < due()) {
        co_return;
    }
    // Before asking: what is counted meanwhile is for the next time.
    pending_ = false;
    shared_.batches_counted = false;
    pg::params p;
    p.int4(statement_ms).int4(tallies).int8(floor_.value_or(0));
    connection_.send(shared_.sql.fold_batches, p);
    const std::vector<pg::result> results = co_await connection_.run();
    const pg::result& row = results.at(0);
    advance(row);
    report(row);
    const auto now = clock::now();
    earliest_ = now + std::max<clock::duration>(pause, (now - begun) * share);
    if (row.binary_bool(0, col_more)) {
        pending_ = true;
        earliest_ = now + (now - begun);
    }
    if (row.binary_bool(0, col_passed)) {
        passed_pause_ =
            std::clamp<clock::duration>(2 * passed_pause_, passed_pause_min, passed_pause_max);
        pending_ = true;
        earliest_ = std::max(earliest_, now + passed_pause_);
    } else {
        passed_pause_ = {};
    }
}

void batch_folder::advance(const pg::result& row) {
    const std::int64_t up_to = row.binary_int64(0, col_up_to);
    const std::int64_t floor = floor_.value_or(0);
    if (row.binary_int64(0, col_oldest_xid) >= next_xid_) {
        floor_ = std::max(floor, std::min(drawn_, up_to));
        drawn_ = row.binary_int64(0, col_drawn);
        next_xid_ = row.binary_int64(0, col_next_xid);
    } else {
        floor_ = floor;
    }
}

void batch_folder::report(const pg::result& row) const {
    if (const std::int64_t ended = row.binary_int64(0, col_ended); ended > 0) {
        shared_.report(event_type::batches_ended, "", ended);
    }
    if (!row.is_null(0, col_problem)) {
        shared_.report(event_type::batch_callback_failed, row.text(0, col_problem));
    }
}

}  // namespace libqueue::engine
