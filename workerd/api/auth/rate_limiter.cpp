#include "auth/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace workerd::api {

namespace {

constexpr double burst_seconds = 6;
constexpr double burst_least = 10;
// Some ten megabytes; with more keys than these at once, all begin anew.
constexpr std::size_t keys_max = 100'000;

int seconds(double value) {
    return static_cast<int>(std::ceil(std::min(value, 86'400.0)));
}

}  // namespace

rate_limiter::rate_limiter(double per_second)
    : rate_{per_second}, burst_{std::max(burst_least, std::floor(per_second * burst_seconds))} {}

rate_limiter::bucket& rate_limiter::find(std::string_view key, clock::time_point now) {
    if (buckets_.size() >= keys_max)
        forget_full(now);
    const auto [place, is_new] = buckets_.try_emplace(std::string{key});
    auto& found = place->second;
    if (is_new) {
        found.tokens = burst_;
    } else {
        const std::chrono::duration<double> passed = now - found.at;
        found.tokens = std::min(burst_, found.tokens + std::max(0.0, passed.count()) * rate_);
    }
    found.at = now;
    return found;
}

void rate_limiter::forget_full(clock::time_point now) {
    std::erase_if(buckets_, [&](const auto& each) {
        const std::chrono::duration<double> passed = now - each.second.at;
        return each.second.tokens + passed.count() * rate_ >= burst_;
    });
    if (buckets_.size() >= keys_max)
        buckets_.clear();
}

rate_verdict rate_limiter::take(std::string_view key, int cost, clock::time_point now) {
    const std::lock_guard lock{mutex_};
    auto& from = find(key, now);
    rate_verdict verdict;
    const double needed = std::max(1, cost);
    verdict.allowed = from.tokens >= needed;
    if (verdict.allowed)
        from.tokens -= cost;
    verdict.limit = static_cast<int>(burst_);
    verdict.remaining = static_cast<int>(from.tokens);
    verdict.full_in = seconds((burst_ - from.tokens) / rate_);
    verdict.retry_after =
        verdict.allowed ? 0 : std::max(1, seconds((needed - from.tokens) / rate_));
    return verdict;
}

void rate_limiter::charge(std::string_view key, int cost, clock::time_point now) {
    const std::lock_guard lock{mutex_};
    auto& from = find(key, now);
    from.tokens = std::max(0.0, from.tokens - cost);
}

}  // namespace workerd::api
