#include "instant.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace qctl {

namespace {

// Reads along a text; once something did not fit, `good()` stays false.
class reader {
   public:
    explicit reader(std::string_view text) noexcept : text_{text} {}

    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool at_end() const noexcept { return text_.empty(); }
    [[nodiscard]] char next() const noexcept { return text_.empty() ? '\0' : text_.front(); }

    bool take(char wanted) noexcept {
        if (next() != wanted || text_.empty()) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }

    void expect(char wanted) noexcept { good_ = take(wanted) && good_; }

    int digits(std::size_t count) noexcept {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (next() < '0' || next() > '9') {
                good_ = false;
                return 0;
            }
            value = value * 10 + (next() - '0');
            text_.remove_prefix(1);
        }
        return value;
    }

    // Microseconds of a fraction of any length; further digits are cut.
    int fraction() noexcept {
        int value = 0;
        int scale = 100'000;
        good_ = good_ && next() >= '0' && next() <= '9';
        while (next() >= '0' && next() <= '9') {
            value += (next() - '0') * scale;
            scale /= 10;
            text_.remove_prefix(1);
        }
        return value;
    }

   private:
    std::string_view text_;
    bool good_{true};
};

std::chrono::seconds read_zone(reader& from) {
    if (from.take('Z') || from.take('z')) {
        return std::chrono::seconds{0};
    }
    const bool west = from.next() == '-';
    if (!from.take('-')) {
        from.expect('+');
    }
    std::chrono::seconds offset = std::chrono::hours{from.digits(2)};
    if (!from.at_end()) {
        from.take(':');
        offset += std::chrono::minutes{from.digits(2)};
    }
    // Old local mean times have seconds, and PostgreSQL prints them.
    if (!from.at_end()) {
        from.take(':');
        offset += std::chrono::seconds{from.digits(2)};
    }
    return west ? -offset : offset;
}

}  // namespace

std::optional<time_point> read_instant(std::string_view text) {
    reader from{text};
    const int year = from.digits(4);
    from.expect('-');
    const int month = from.digits(2);
    from.expect('-');
    const int day = from.digits(2);
    if (!from.take('T') && !from.take('t')) {
        from.expect(' ');
    }
    const int hour = from.digits(2);
    from.expect(':');
    const int minute = from.digits(2);
    const int second = from.take(':') ? from.digits(2) : 0;
    const int micros = from.take('.') ? from.fraction() : 0;
    const auto offset = read_zone(from);
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!from.good() || !from.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    return time_point{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
           std::chrono::minutes{minute} + std::chrono::seconds{second} +
           std::chrono::microseconds{micros} - offset;
}

std::string iso_instant(time_point when) {
    const auto days = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{days};
    const std::chrono::hh_mm_ss time{when - days};
    std::array<char, 64> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%06ldZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<long>(time.hours().count()),
        static_cast<long>(time.minutes().count()), static_cast<long>(time.seconds().count()),
        static_cast<long>(time.subseconds().count()));
    return std::string{text.data(), static_cast<std::size_t>(length)};
}

std::string relative_instant(time_point when, time_point now) {
    const auto distance = when > now ? when - now : now - when;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(distance).count();
    if (seconds == 0) {
        return "now";
    }
    class unit {
       public:
        std::int64_t seconds;
        const char* name;
    };
    constexpr std::array units{unit{31'536'000, "y"}, unit{86'400, "d"}, unit{3'600, "h"},
                               unit{60, "m"}, unit{1, "s"}};
    std::string text;
    for (const auto& candidate : units) {
        if (seconds >= candidate.seconds) {
            text = std::to_string(seconds / candidate.seconds) + candidate.name;
            break;
        }
    }
    return when > now ? "in " + text : text + " ago";
}

time_point system_now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
}

}  // namespace qctl
