#pragma once

#include "instant.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Times as the clocks of a place show them. Zones are those of this machine's tzdata. Any thread.

namespace qctl {

/// The zone's name as tzdata writes it, whatever the case of `name`; nothing when there is none.
[[nodiscard]] std::optional<std::string> find_zone(std::string_view name);

/// `2026-01-31T09:00:00.123456+01:00`. `zone` is a name that find_zone() gave.
[[nodiscard]] std::string zoned_instant(time_point when, const std::string& zone);

[[nodiscard]] std::vector<std::string> zone_names();

}  // namespace qctl
