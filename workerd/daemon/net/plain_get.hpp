#pragma once

#include "net/http_types.hpp"

#include <optional>
#include <string>

namespace workerd {

/// The path, without its query, of a request that only reads (GET, HEAD); nothing for others, which
/// get plain_get_only(). For pages outside the API.
[[nodiscard]] std::optional<std::string> plain_get_path(const http_request& request);

[[nodiscard]] http_response plain_get_only();
[[nodiscard]] http_response no_such_page();

}  // namespace workerd
