#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// How mails write dates, times and money. Pure, any thread; never the process's locale.
//
// Languages: English (`en`, and `en-US` with its own order and clock) and German (`de`). Every
// other locale, `default` too, gets English words with ISO order where words would mislead:
// 2026-11-21, 15:04.

namespace libqueue::processors::email {

/// What a variable may hold as a moment: ISO 8601 (`2026-11-21T15:04:05Z`, `+01:00`, seconds and
/// fraction optional), a date alone (then no zone is applied), or seconds since 1970.
/// `style` of a date: `long` (21 November 2026), `short` (21/11/2026, 21.11.2026), `iso`.
/// Empty: no moment, no such style, or no zone of that name.
[[nodiscard]] std::optional<std::string> format_date(std::string_view moment,
                                                     std::string_view style,
                                                     std::string_view locale,
                                                     std::string_view zone);
/// 15:04, in `en-US` 3:04 PM. Empty for a date without a time, too.
[[nodiscard]] std::optional<std::string> format_time(std::string_view moment,
                                                     std::string_view locale,
                                                     std::string_view zone);
/// An amount in the currency's smallest unit (ISO 4217: 2 digits, but for JPY and the like 0, KWD
/// and the like 3): 123450 EUR is €1,234.50, in German 1.234,50 €.
/// Empty: no whole number, or no three capital letters.
[[nodiscard]] std::optional<std::string> format_currency(std::string_view amount,
                                                         std::string_view currency,
                                                         std::string_view locale);

}  // namespace libqueue::processors::email
