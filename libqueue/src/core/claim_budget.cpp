#include "core/claim_budget.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace libqueue::core {

namespace {

// How many jobs will finish while the turn is away, at most `slots`.
std::int64_t prefetch(int slots, double rate, double turn_time) noexcept {
    constexpr double margin = 1.5;
    const double finishing = rate * turn_time;
    if (!std::isfinite(finishing) || rate < 0 || finishing < 1) {
        return 0;
    }
    return static_cast<std::int64_t>(std::min<double>(slots, std::ceil(finishing * margin)));
}

}  // namespace

int claim_budget(const claim_situation& now) noexcept {
    const int slots = std::max(now.slots, 0);
    const int free = std::clamp(now.free, 0, slots);
    const std::int64_t want =
        free + prefetch(slots, now.rate, now.turn_time) - std::max<std::int64_t>(now.unstarted, 0);
    return static_cast<int>(
        std::clamp<std::int64_t>(want, 0, std::max<std::int64_t>(now.batch_max, 0)));
}

double rate_meter::faded(time_point now) const noexcept {
    const double passed = std::chrono::duration<double>(std::max(now, last_) - last_).count();
    return events_ * std::exp(-passed / memory_);
}

void rate_meter::record(int events, time_point now) noexcept {
    events_ = faded(now) + std::max(events, 0);
    last_ = std::max(last_, now);
}

double rate_meter::rate(time_point now) const noexcept {
    const double age = std::chrono::duration<double>(std::max(now, last_) - start_).count();
    if (age <= 0) {
        return 0;
    }
    // 1 - exp(-age/memory): the share of an endless steady stream that has been seen.
    return faded(now) / (memory_ * -std::expm1(-age / memory_));
}

}  // namespace libqueue::core
