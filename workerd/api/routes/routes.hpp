#pragma once

#include "route.hpp"

#include <span>

namespace workerd::api {

// One function per file of this folder; all.cpp puts them together.
[[nodiscard]] std::span<const route> alert_routes();
[[nodiscard]] std::span<const route> health_routes();
[[nodiscard]] std::span<const route> queue_routes();
[[nodiscard]] std::span<const route> self_routes();
[[nodiscard]] std::span<const route> stats_routes();

}  // namespace workerd::api
