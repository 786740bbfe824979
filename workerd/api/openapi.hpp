#pragma once

#include <string>

namespace workerd::api {

/// The description of all routes as OpenAPI 3.1, indented: what GET /api/v1/openapi.json answers,
/// `workerd --print-openapi` prints and docs/openapi.json holds.
[[nodiscard]] std::string openapi_text();

}  // namespace workerd::api
