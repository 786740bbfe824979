#pragma once

#include "command_table.hpp"

#include <span>
#include <string_view>

namespace qctl {

/// Which verb asks which route of the API. A verb that stands here works with a server; a route
/// without a verb must be excused. Tests demand both.
class route_use {
   public:
    verb id;
    std::string_view method;
    std::string_view path;  ///< below /api/v1, as the OpenAPI document writes it
};

/// A route without a verb of its own, and why that is right; `qctl api` reaches it.
class route_excuse {
   public:
    std::string_view method;
    std::string_view path;
    std::string_view reason;
};

[[nodiscard]] std::span<const route_use> route_uses() noexcept;
[[nodiscard]] std::span<const route_excuse> excused_routes() noexcept;

/// Does the verb ask a server?
[[nodiscard]] bool works_with_server(verb id) noexcept;
/// Verbs about this machine alone: they ask nobody.
[[nodiscard]] bool is_local(verb id) noexcept;

}  // namespace qctl
