#include "engine/admission.hpp"

#include "engine/limiter.hpp"

#include <algorithm>

namespace libqueue::engine {
namespace {

// Words left by transactions that took longer than ten seconds are found by whole looks, which an
// old snapshot makes slow: they take at most this share of the time.
constexpr int whole_share{20};
constexpr std::chrono::seconds whole_interval{1};

enum column : int { col_admitted, col_wait };

}  // namespace

admission::admission(queue_state& queue, clock::time_point now)
    : queue_{&queue}, whole_{now >= queue.keys.next_whole} {}

void admission::owe(queue_state& queue) noexcept {
    if (queue.keys.used) {
        queue.keys.owed = true;
        queue.keys.due = clock::time_point::min();
    }
}

bool admission::owed(const queue_state& queue, clock::time_point now) noexcept {
    return queue.keys.owed && now >= queue.keys.due;
}

pg::params admission::params() const {
    pg::params p;
    p.int4(queue_->id).boolean(whole_);
    return p;
}

void admission::accept(const pg::result& row, clock::time_point sent_at) {
    const auto now = clock::now();
    key_watch& keys = queue_->keys;
    if (whole_) {
        keys.next_whole =
            now + std::max<clock::duration>(whole_interval, whole_share * (now - sent_at));
    }
    keys.due = row.is_null(0, col_wait)
                   ? clock::time_point::max()
                   : now + std::chrono::microseconds{row.binary_int64(0, col_wait)};
    if (row.is_null(0, col_admitted)) {
        return;  // Another session was at it; its look may have been before our word.
    }
    keys.owed = false;
    if (row.binary_int32(0, col_admitted) > 0) {
        queue_->watch.next_look = std::min(queue_->watch.next_look, now);
        limiter::look_now(*queue_);
    }
}

}  // namespace libqueue::engine
