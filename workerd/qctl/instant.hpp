#pragma once

#include <libqueue/job.hpp>

#include <optional>
#include <string>
#include <string_view>

// Times as people and programs write them. Pure; any thread.

namespace qctl {

using libqueue::time_point;

/// A date and time with its zone: `2026-01-31T08:00:00Z`, `2026-01-31 08:00+02:00`,
/// `2026-01-31 08:00:00.123456+00` (PostgreSQL's own text). Without a zone it is nothing: it would
/// mean another time on every machine.
[[nodiscard]] std::optional<time_point> read_instant(std::string_view text);

/// `2026-01-31T08:00:00.123456Z`. Always UTC and with microseconds, so that texts sort as times.
[[nodiscard]] std::string iso_instant(time_point when);

/// `3m ago`, `in 2h`, `now`: one unit, rounded down. For people at a terminal.
[[nodiscard]] std::string relative_instant(time_point when, time_point now);

[[nodiscard]] time_point system_now();

}  // namespace qctl
