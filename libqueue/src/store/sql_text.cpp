#include "store/sql_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace libqueue::store {
namespace {

/// 9999-12-31 23:59:59 UTC.
constexpr std::chrono::microseconds last{253'402'300'799'000'000};

}  // namespace

std::optional<std::string> time_text(const std::optional<time_point>& when) {
    if (!when) {
        return std::nullopt;
    }
    const time_point at = std::clamp(*when, time_point{}, time_point{last});
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{at - day};
    std::array<char, 64> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
        static_cast<int>(time.subseconds().count()));
    return std::string(text.data(), static_cast<std::size_t>(length));
}

}  // namespace libqueue::store
