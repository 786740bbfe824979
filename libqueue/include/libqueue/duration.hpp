#pragma once

#include <libqueue/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

// Durations and sizes as people write them, in configuration and on the command line. Pure; any
// thread. Parsing is strict on purpose: `30` alone has been read as seconds and as milliseconds by
// too many systems.

namespace libqueue {

/// `250ms`, `30s`, `5m`, `1h30m`, `2d`: whole numbers with the units d, h, m, s, ms, each at most
/// once and from large to small, without spaces. `0` needs no unit. Never negative.
/// Errors (invalid_argument): what was expected and got, with a hint; also when over 2^63 ms.
[[nodiscard]] result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest text made of whole units: `1h30m`, `250ms`, `0s`. Reading it back gives the same
/// value. A negative duration is printed with a sign (`-5s`), which `parse_duration` refuses.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

/// `64MiB`, `10kB`, `512B`, `512`: a whole number of bytes, or with a unit: B, kB, MB, GB, TB
/// (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024). Errors as `parse_duration`.
[[nodiscard]] result<std::uint64_t> parse_size(std::string_view text);

/// The shortest text that reads back as the same number: `64MiB`, `10kB`, `1000001B`.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace libqueue
