#include "openapi.hpp"

#include "api_call.hpp"
#include "routes/routes.hpp"

#include <array>

namespace workerd::api {

namespace {

answer describe(api_call&) {
    static const std::string text = openapi_text();
    return answer{200, text};
}

constexpr std::array rows{
    route{.path = "/openapi.json", .summary = "This description.", .run = describe},
};

}  // namespace

std::span<const route> openapi_routes() {
    return rows;
}

}  // namespace workerd::api
