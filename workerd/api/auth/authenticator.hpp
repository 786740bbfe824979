#pragma once

#include <libqueue/client.hpp>
#include <libqueue/principal.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace workerd::api {

/// Somebody who has proved who they are.
class caller {
   public:
    caller() = default;
    libqueue::principal who;
    std::optional<libqueue::time_point> expires;  ///< of the token
    std::string limit_key;                        ///< whose rate limit this counts against
};

/// Looks a presented token up; nothing when it is not good. May block.
using token_source =
    std::function<std::optional<caller>(std::string_view token, libqueue::client& database)>;

/// The token of "Bearer <token>"; nothing for anything else.
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view authorization);

}  // namespace workerd::api
