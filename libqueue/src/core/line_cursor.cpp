#include "core/line_cursor.hpp"

#include <algorithm>

namespace libqueue::core {

void line_cursor::advance(const line_place& last, int rows, time_point now) {
    // A stray or an overlapping claim of the other lane may lie behind; the cursor never goes back.
    if (last <= furthest_) {
        return;
    }
    furthest_ = last;
    steps_.push_back(step{last, rows, now});
    rows_ += rows;
    drop_old(now);
}

const line_place& line_cursor::position(time_point now) {
    drop_old(now);
    return position_;
}

void line_cursor::drop_old(time_point now) {
    // The oldest step becomes the position once it is old enough, or once the rows claimed after it
    // alone fill the lag.
    while (!steps_.empty()) {
        const step& oldest = steps_.front();
        if (now - oldest.at < lag_time && rows_ - oldest.rows < lag_rows) {
            return;
        }
        position_ = oldest.place;
        rows_ -= oldest.rows;
        steps_.pop_front();
    }
}

}  // namespace libqueue::core
