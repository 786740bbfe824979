#pragma once

#include "logging/record.hpp"
#include "logging/redactor.hpp"

#include <string>
#include <string_view>

namespace workerd {

/// One JSON object without line end: ts, level, msg, event, then the fields. Always valid JSON and
/// valid UTF-8, whatever bytes come in: invalid sequences become U+FFFD, control characters are
/// escaped. Texts over 8 KiB are cut.
[[nodiscard]] std::string to_json_line(const log_record& record, const redactor& hide);

/// The same for people. Control characters are shown escaped, so that no value can draw on the
/// terminal or fake a line.
[[nodiscard]] std::string to_text_line(const log_record& record, const redactor& hide,
                                       bool coloured);

/// A log line is for reading, not for storing.
inline constexpr std::size_t log_text_bytes_max = 8 << 10;

/// The text as a JSON string with its quotes, cut after `bytes_max`.
[[nodiscard]] std::string json_quoted(std::string_view text,
                                      std::size_t bytes_max = log_text_bytes_max);

/// The text as valid UTF-8 of at most so many bytes: what is none becomes U+FFFD, a control
/// character a space, and what does not fit is cut off.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t bytes_max);

/// RFC 3339 with microseconds, UTC: "2026-11-21T02:54:00.123456Z".
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point at);

}  // namespace workerd
