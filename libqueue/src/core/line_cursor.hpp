#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <deque>
#include <limits>

/// Where a worker goes on reading one line, so that it never steps over the dead entries of jobs
/// claimed before. Pure: time is passed in.
namespace libqueue::core {

/// A place in a line: µs since 2000-01-01 and the job's id.
class line_place {
   public:
    std::int64_t run_at{std::numeric_limits<std::int64_t>::min()};
    std::int64_t id{0};
    [[nodiscard]] auto operator<=>(const line_place&) const = default;
};

/// Only a hint: exclusivity is the row lock. A job that commits late stands behind jobs claimed
/// already, so the cursor lags: it follows the claims by `lag_time`, but never by more than
/// `lag_rows`, which bounds what each claim steps over again. Jobs later than that are strays,
/// which the maintenance connection finds.
class line_cursor {
   public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds lag_time{100};
    static constexpr int lag_rows{1'000};

    /// Rows up to `last` were claimed at `now`.
    void advance(const line_place& last, int rows, time_point now);
    /// Where the next claim starts (exclusive).
    [[nodiscard]] const line_place& position(time_point now);
    /// The furthest place claimed so far: orders lines of equal priority, least first.
    [[nodiscard]] const line_place& furthest() const noexcept { return furthest_; }

   private:
    struct step {
        line_place place;
        int rows;
        time_point at;
    };
    void drop_old(time_point now);

    line_place position_;
    line_place furthest_;
    std::deque<step> steps_;
    int rows_{0};
};

}  // namespace libqueue::core
