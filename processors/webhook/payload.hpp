#pragma once

#include "processors/webhook/url_check.hpp"

#include <libqueue/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue::processors::webhook {

/// What `webhook.deliver` is told:
///   {"url": "https://example.com/hook", "event": "order.paid", "data": {...},
///    "headers": {"x-tenant": "7"}, "timeout_ms": 5000}
/// The first two are required.
class delivery_payload {
   public:
    delivery_payload() = default;
    /// Error: invalid_argument with every fault; never with content.
    [[nodiscard]] static result<delivery_payload> parse(std::string_view json,
                                                        const url_rules& rules);

    std::string url;
    std::string event;
    std::string data{"null"};  ///< JSON text, passed on digit for digit
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::chrono::milliseconds> timeout;
};
static_assert(!std::is_aggregate_v<delivery_payload>);

}  // namespace libqueue::processors::webhook
