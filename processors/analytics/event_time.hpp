#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace libqueue::processors::analytics {

/// Microseconds since 1970 UTC of an RFC 3339 time (`2026-11-21T10:00:00Z`, with an offset, with
/// up to nine digits of a second, which are cut to six). 1970 to 9999; a leap second counts as the
/// second after it. Nothing for anything else. Pure.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text) noexcept;

}  // namespace libqueue::processors::analytics
