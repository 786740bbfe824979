#pragma once

#include "route.hpp"

#include <cstdint>
#include <limits>
#include <span>

namespace workerd::api {

// One function per file of this folder; all.cpp puts them together.
[[nodiscard]] std::span<const route> access_routes();
[[nodiscard]] std::span<const route> batch_routes();
[[nodiscard]] std::span<const route> limit_routes();
[[nodiscard]] std::span<const route> openapi_routes();
[[nodiscard]] std::span<const route> processor_routes();
[[nodiscard]] std::span<const route> alert_routes();
[[nodiscard]] std::span<const route> health_routes();
[[nodiscard]] std::span<const route> queue_routes();
[[nodiscard]] std::span<const route> schedule_routes();
[[nodiscard]] std::span<const route> self_routes();
[[nodiscard]] std::span<const route> stats_routes();
[[nodiscard]] std::span<const route> stream_routes();
[[nodiscard]] std::span<const route> workflow_routes();
[[nodiscard]] std::span<const route> overview_routes();
[[nodiscard]] std::span<const route> operation_routes();
[[nodiscard]] std::span<const route> job_routes();
[[nodiscard]] std::span<const route> dead_letter_routes();
[[nodiscard]] std::span<const route> subscription_routes();
[[nodiscard]] std::span<const route> worker_routes();

/// For those who see all tenants: whose things are meant.
inline constexpr field tenant_parameter{
    "tenant_id", value_type::uuid,
    "Whose, for a token that is bound to no tenant; without it, what belongs to none."};

/// Lists that go by an id take it, too, for whoever has one in hand; a cursor goes before.
inline constexpr field before_parameter{"before",
                                        value_type::integer,
                                        "Below this id.",
                                        false,
                                        1,
                                        std::numeric_limits<std::int64_t>::max()};
inline constexpr field after_parameter{"after",
                                       value_type::integer,
                                       "Above this id.",
                                       false,
                                       0,
                                       std::numeric_limits<std::int64_t>::max()};

}  // namespace workerd::api
