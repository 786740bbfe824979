#include "processors/email/formats.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace libqueue::processors::email {

namespace {

/// A moment as it reads on a wall clock, or a date alone.
class wall_clock {
   public:
    wall_clock() = default;
    int year{0};
    unsigned month{1};
    unsigned day{1};
    int hour{0};
    int minute{0};
    bool has_time{false};
};

template <typename Number>
bool take_number(std::string_view& text, std::size_t digits, Number& into) {
    if (text.size() < digits) {
        return false;
    }
    const auto* end = text.data() + digits;
    const auto [rest, failed] = std::from_chars(text.data(), end, into);
    if (failed != std::errc{} || rest != end || text.front() == '-') {
        return false;
    }
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// `Z`, `+01:00`, `+0100`; nothing counts as UTC.
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
    if (text.empty() || text == "Z" || text == "z") {
        return std::chrono::minutes{0};
    }
    const bool east = take(text, '+');
    int hours = 0;
    int minutes = 0;
    if ((!east && !take(text, '-')) || !take_number(text, 2, hours)) {
        return std::nullopt;
    }
    static_cast<void>(take(text, ':'));
    if ((!text.empty() && !take_number(text, 2, minutes)) || !text.empty() || hours > 15 ||
        minutes > 59) {
        return std::nullopt;
    }
    const std::chrono::minutes all{hours * 60 + minutes};
    return east ? all : -all;
}

wall_clock in_zone(date::sys_seconds when, std::string_view zone) {
    const auto local =
        date::make_zoned(date::locate_zone(std::string{zone}), when).get_local_time();
    const auto days = date::floor<date::days>(local);
    const date::year_month_day day{days};
    const auto time = date::make_time(local - days);
    wall_clock made;
    made.year = static_cast<int>(day.year());
    made.month = static_cast<unsigned>(day.month());
    made.day = static_cast<unsigned>(day.day());
    made.hour = static_cast<int>(time.hours().count());
    made.minute = static_cast<int>(time.minutes().count());
    made.has_time = true;
    return made;
}

std::optional<wall_clock> read_iso(std::string_view text, std::string_view zone) {
    wall_clock made;
    if (!take_number(text, 4, made.year) || !take(text, '-') || !take_number(text, 2, made.month) ||
        !take(text, '-') || !take_number(text, 2, made.day)) {
        return std::nullopt;
    }
    const date::year_month_day day{date::year{made.year}, date::month{made.month},
                                   date::day{made.day}};
    if (!day.ok()) {
        return std::nullopt;
    }
    if (text.empty()) {
        return made;
    }
    int second = 0;
    if ((!take(text, 'T') && !take(text, ' ')) || !take_number(text, 2, made.hour) ||
        !take(text, ':') || !take_number(text, 2, made.minute) || made.hour > 23 ||
        made.minute > 59) {
        return std::nullopt;
    }
    if (take(text, ':') && (!take_number(text, 2, second) || second > 60)) {
        return std::nullopt;
    }
    if (take(text, '.')) {
        const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
        text.remove_prefix(digits);
    }
    const auto offset = take_offset(text);
    if (!offset) {
        return std::nullopt;
    }
    const auto utc = date::sys_days{day} + std::chrono::hours{made.hour} +
                     std::chrono::minutes{made.minute} + std::chrono::seconds{second} - *offset;
    return in_zone(utc, zone);
}

std::optional<wall_clock> read_moment(std::string_view text, std::string_view zone) {
    try {
        std::int64_t seconds = 0;
        const auto* end = text.data() + text.size();
        const auto [rest, failed] = std::from_chars(text.data(), end, seconds);
        if (failed == std::errc{} && rest == end) {
            // Up to the year 9999.
            constexpr std::int64_t latest = 253'402'300'799;
            return seconds >= 0 && seconds <= latest
                       ? std::optional{in_zone(date::sys_seconds{std::chrono::seconds{seconds}},
                                               zone)}
                       : std::nullopt;
        }
        return read_iso(text, zone);
    } catch (const std::runtime_error&) {
        return std::nullopt;  // no zone of that name
    }
}

template <typename... Values>
std::string printed(const char* format, Values... values) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

bool is_language(std::string_view locale, std::string_view language) {
    return locale == language ||
           (locale.starts_with(language) && locale.size() > language.size() &&
            (locale[language.size()] == '-' || locale[language.size()] == '_'));
}

bool is_american(std::string_view locale) {
    return locale == "en-US" || locale == "en_US";
}

constexpr std::array english{"January", "February", "March",     "April",   "May",      "June",
                             "July",    "August",   "September", "October", "November", "December"};
constexpr std::array german{"Januar", "Februar", "März",      "April",   "Mai",      "Juni",
                            "Juli",   "August",  "September", "Oktober", "November", "Dezember"};

int digits_of(std::string_view currency) {
    constexpr std::array<std::string_view, 16> none{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                    "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                                    "VND", "VUV", "XAF", "XOF"};
    constexpr std::array<std::string_view, 7> three{"BHD", "IQD", "JOD", "KWD",
                                                    "LYD", "OMR", "TND"};
    if (std::find(none.begin(), none.end(), currency) != none.end() || currency == "XPF") {
        return 0;
    }
    return std::find(three.begin(), three.end(), currency) == three.end() ? 2 : 3;
}

std::string symbol_of(std::string_view currency) {
    if (currency == "EUR") {
        return "€";
    }
    if (currency == "GBP") {
        return "£";
    }
    // Other dollars and yuan share the sign, so only these two may have it.
    if (currency == "USD") {
        return "$";
    }
    return currency == "JPY" ? "¥" : std::string{currency};
}

}  // namespace

std::optional<std::string> format_date(std::string_view moment, std::string_view style,
                                       std::string_view locale, std::string_view zone) {
    const auto when = read_moment(moment, zone);
    if (!when) {
        return std::nullopt;
    }
    const bool is_german = is_language(locale, "de");
    if (style == "long") {
        const auto at = when->month - 1;
        if (is_german) {
            return printed("%u. %s %d", when->day, german.at(at), when->year);
        }
        return is_american(locale) ? printed("%s %u, %d", english.at(at), when->day, when->year)
                                   : printed("%u %s %d", when->day, english.at(at), when->year);
    }
    if (style == "short" && is_german) {
        return printed("%02u.%02u.%04d", when->day, when->month, when->year);
    }
    if (style == "short" && is_language(locale, "en")) {
        return is_american(locale) ? printed("%02u/%02u/%04d", when->month, when->day, when->year)
                                   : printed("%02u/%02u/%04d", when->day, when->month, when->year);
    }
    if (style != "short" && style != "iso") {
        return std::nullopt;
    }
    return printed("%04d-%02u-%02u", when->year, when->month, when->day);
}

std::optional<std::string> format_time(std::string_view moment, std::string_view locale,
                                       std::string_view zone) {
    const auto when = read_moment(moment, zone);
    if (!when || !when->has_time) {
        return std::nullopt;
    }
    if (is_american(locale)) {
        const int hour = when->hour % 12 == 0 ? 12 : when->hour % 12;
        return printed("%d:%02d %s", hour, when->minute, when->hour < 12 ? "AM" : "PM");
    }
    return printed("%02d:%02d", when->hour, when->minute);
}

std::optional<std::string> format_currency(std::string_view amount, std::string_view currency,
                                           std::string_view locale) {
    const bool negative = amount.starts_with('-');
    auto digits = std::string{negative ? amount.substr(1) : amount};
    const auto all = [](std::string_view text, char first, char last) {
        return std::all_of(text.begin(), text.end(),
                           [first, last](char c) { return c >= first && c <= last; });
    };
    if (digits.empty() || digits.size() > 18 || !all(digits, '0', '9') || currency.size() != 3 ||
        !all(currency, 'A', 'Z')) {
        return std::nullopt;
    }
    const bool is_german = is_language(locale, "de");
    const auto places = static_cast<std::size_t>(digits_of(currency));
    if (digits.size() <= places) {
        digits.insert(0, places + 1 - digits.size(), '0');
    }
    auto whole = digits.substr(0, digits.size() - places);
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
    for (auto at = whole.size(); at > 3; at -= 3) {
        whole.insert(at - 3, 1, is_german ? '.' : ',');
    }
    if (places > 0) {
        whole += is_german ? ',' : '.';
        whole += digits.substr(digits.size() - places);
    }
    const auto symbol = symbol_of(currency);
    const std::string sign{negative ? "-" : ""};
    if (is_german) {
        return sign + whole + " " + symbol;
    }
    return sign + symbol + (symbol == currency ? " " : "") + whole;
}

}  // namespace libqueue::processors::email
