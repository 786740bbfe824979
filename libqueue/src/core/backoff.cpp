#include <libqueue/backoff.hpp>
#include <libqueue/duration.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace libqueue {

namespace {

using ticks = std::chrono::milliseconds::rep;

constexpr std::array<std::pair<backoff_strategy, std::string_view>, 4> strategy_names{{
    {backoff_strategy::exponential, "exponential"},
    {backoff_strategy::linear, "linear"},
    {backoff_strategy::fibonacci, "fibonacci"},
    {backoff_strategy::fixed, "fixed"},
}};

// Each takes 0 < base <= cap and n >= 1 and compares before it multiplies: the attempt number
// comes from a database and may be anything.

ticks exponential(ticks base, ticks cap, ticks n) noexcept {
    constexpr ticks widest_shift = 62;
    if (n - 1 > widest_shift || base > (cap >> (n - 1))) {
        return cap;
    }
    return base << (n - 1);
}

ticks linear(ticks base, ticks cap, ticks n) noexcept {
    return n > cap / base ? cap : base * n;
}

// At most 91 rounds: the 92nd Fibonacci number is the last below 2^63.
ticks fibonacci(ticks base, ticks cap, ticks n) noexcept {
    ticks previous = 0;
    ticks current = base;
    for (ticks i = 1; i < n; ++i) {
        if (previous >= cap - current) {
            return cap;
        }
        previous = std::exchange(current, current + previous);
    }
    return current;
}

ticks without_jitter(const retry_policy& policy, int failed_attempts) noexcept {
    const ticks cap = policy.cap.count();
    const ticks base = std::min(policy.base.count(), cap);
    if (base <= 0) {
        return 0;
    }
    const ticks n = std::max(failed_attempts, 1);
    switch (policy.strategy) {
        case backoff_strategy::exponential:
            return exponential(base, cap, n);
        case backoff_strategy::linear:
            return linear(base, cap, n);
        case backoff_strategy::fibonacci:
            return fibonacci(base, cap, n);
        case backoff_strategy::fixed:
            return base;
    }
    return cap;
}

ticks spread(ticks full, double random01) noexcept {
    // Negated so that NaN takes the branch.
    if (!(random01 < 1.0)) {
        return full;
    }
    const ticks span = full / 2;
    const double part = static_cast<double>(span) * std::max(random01, 0.0);
    // Near 2^63 the double may have rounded up past the span.
    return full - span + std::min(span, static_cast<ticks>(part));
}

}  // namespace

std::string_view to_string(backoff_strategy strategy) noexcept {
    for (const auto& [value, name] : strategy_names) {
        if (value == strategy) {
            return name;
        }
    }
    return "?";
}

std::optional<backoff_strategy> parse_backoff_strategy(std::string_view text) noexcept {
    for (const auto& [value, name] : strategy_names) {
        if (name == text) {
            return value;
        }
    }
    return std::nullopt;
}

std::chrono::milliseconds retry_policy::delay(int failed_attempts, double random01) const noexcept {
    const ticks full = without_jitter(*this, failed_attempts);
    return std::chrono::milliseconds{jitter ? spread(full, random01) : full};
}

std::string to_string(const retry_policy& policy) {
    std::string text{to_string(policy.strategy)};
    text += ' ';
    text += format_duration(policy.base);
    text += " cap ";
    text += format_duration(policy.cap);
    if (policy.jitter) {
        text += " jitter";
    }
    return text;
}

namespace {

error policy_error(std::string_view text) {
    return error{errc::invalid_argument,
                 "retry policy: expected a strategy, a base and a cap (exponential 2s cap 60s "
                 "jitter) or a preset, got \"" +
                     std::string{text} + "\"",
                 "strategies: exponential, linear, fibonacci, fixed; "
                 "presets: payment, refund, mint, email, webhook, default"};
}

std::string_view next_word(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
}

}  // namespace

result<retry_policy> parse_retry_policy(std::string_view text) {
    if (const retry_preset* preset = find_retry_preset(text)) {
        return preset->policy;
    }
    std::string_view rest = text;
    const auto strategy = parse_backoff_strategy(next_word(rest));
    if (!strategy) {
        return policy_error(text);
    }
    auto base = parse_duration(next_word(rest));
    if (!base) {
        return base.error();
    }
    if (next_word(rest) != "cap") {
        return policy_error(text);
    }
    auto cap = parse_duration(next_word(rest));
    if (!cap) {
        return cap.error();
    }
    if (!rest.empty() && rest != "jitter") {
        return policy_error(text);
    }
    return retry_policy{*strategy, *base, *cap, !rest.empty()};
}

const std::array<retry_preset, 6>& retry_presets() noexcept {
    using namespace std::chrono_literals;
    static const std::array<retry_preset, 6> presets{{
        {"payment", 5, {backoff_strategy::exponential, 1s, 60s, true}},
        {"refund", 5, {backoff_strategy::exponential, 1s, 60s, true}},
        {"mint", 3, {backoff_strategy::exponential, 5s, 300s, true}},
        {"email", 3, {backoff_strategy::linear, 2s, 10s, false}},
        {"webhook", 4, {backoff_strategy::fibonacci, 1s, 30s, true}},
        {"default", 3, retry_policy{}},
    }};
    return presets;
}

const retry_preset* find_retry_preset(std::string_view name) noexcept {
    for (const retry_preset& preset : retry_presets()) {
        if (preset.name == name) {
            return &preset;
        }
    }
    return nullptr;
}

namespace backoff {

retry_policy payment() noexcept {
    return retry_presets()[0].policy;
}
retry_policy refund() noexcept {
    return retry_presets()[1].policy;
}
retry_policy mint() noexcept {
    return retry_presets()[2].policy;
}
retry_policy email() noexcept {
    return retry_presets()[3].policy;
}
retry_policy webhook() noexcept {
    return retry_presets()[4].policy;
}
retry_policy standard() noexcept {
    return retry_presets()[5].policy;
}

}  // namespace backoff

}  // namespace libqueue
