#pragma once

#include <libqueue/error.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

// When a failed attempt is tried again. Pure: neither a clock nor a random source inside, so every
// delay can be tabulated in a test. All functions may be called from any thread.

namespace libqueue {

/// How the delay grows with the number n of failed attempts (1 for the first failure).
enum class backoff_strategy {
    exponential,  ///< base * 2^(n-1)
    linear,       ///< base * n
    fibonacci,    ///< base * F(n), with F = 1, 1, 2, 3, 5, 8 ...
    fixed,        ///< base
};

[[nodiscard]] std::string_view to_string(backoff_strategy strategy) noexcept;
[[nodiscard]] std::optional<backoff_strategy> parse_backoff_strategy(
    std::string_view text) noexcept;

/// The delay before the next try: d = min(cap, strategy(base, n)), and with jitter a value spread
/// evenly over [d/2, d].
///
/// This is "equal jitter" as described by Marc Brooker, "Exponential Backoff And Jitter" (AWS
/// Architecture Blog, 2015): d/2 + random(0, d/2). It is preferred to his "full jitter" (0 to d)
/// because a job must never come back at once to a provider that just failed, while half of the
/// range is still enough to spread a herd.
class retry_policy {
   public:
    /// Exponential from 2 s, cap 60 s, jitter.
    retry_policy() = default;
    retry_policy(backoff_strategy strategy_, std::chrono::milliseconds base_,
                 std::chrono::milliseconds cap_, bool jitter_) noexcept
        : strategy{strategy_}, base{base_}, cap{cap_}, jitter{jitter_} {}

    /// `failed_attempts`: how many have failed, at least 1 (less is taken as 1; any int is safe).
    /// `random01`: uniform in [0, 1), used with jitter only. Values outside are clamped and NaN
    /// counts as 1, the longest delay. The result is never negative and never over `cap`;
    /// a base or cap of zero or less means no delay.
    [[nodiscard]] std::chrono::milliseconds delay(int failed_attempts,
                                                  double random01) const noexcept;

    [[nodiscard]] bool operator==(const retry_policy&) const = default;

    backoff_strategy strategy{backoff_strategy::exponential};
    std::chrono::milliseconds base{2'000};
    std::chrono::milliseconds cap{60'000};
    bool jitter{true};
};
static_assert(!std::is_aggregate_v<retry_policy>);

/// `exponential 2s cap 1m jitter`; without jitter the last word is absent.
[[nodiscard]] std::string to_string(const retry_policy& policy);
/// What `to_string` prints, or the name of a preset (`payment`). Errors: invalid_argument.
[[nodiscard]] result<retry_policy> parse_retry_policy(std::string_view text);

/// A policy that ships with a name. `retries` is one less than the attempts a kind gets.
class retry_preset {
   public:
    retry_preset(std::string_view name_, int retries_, const retry_policy& policy_) noexcept
        : name{name_}, retries{retries_}, policy{policy_} {}
    [[nodiscard]] int max_attempts() const noexcept { return retries + 1; }

    std::string_view name;
    int retries;
    retry_policy policy;
};
static_assert(!std::is_aggregate_v<retry_preset>);

/// payment, refund, mint, email, webhook, default.
[[nodiscard]] const std::array<retry_preset, 6>& retry_presets() noexcept;
/// Null when there is no preset of that name.
[[nodiscard]] const retry_preset* find_retry_preset(std::string_view name) noexcept;

/// The presets' policies, for code that names them.
namespace backoff {
[[nodiscard]] retry_policy payment() noexcept;   ///< exponential 1 s, cap 60 s, jitter; 5 retries
[[nodiscard]] retry_policy refund() noexcept;    ///< the same
[[nodiscard]] retry_policy mint() noexcept;      ///< exponential 5 s, cap 300 s, jitter; 3 retries
[[nodiscard]] retry_policy email() noexcept;     ///< linear 2 s, cap 10 s, no jitter; 3 retries
[[nodiscard]] retry_policy webhook() noexcept;   ///< fibonacci 1 s, cap 30 s, jitter; 4 retries
[[nodiscard]] retry_policy standard() noexcept;  ///< the default; 3 retries
}  // namespace backoff

}  // namespace libqueue
