#pragma once

#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"
#include "processors/webhook/endpoint.hpp"

#include <libqueue/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue::processors::webhook {

/// What `webhook.event` is told; `webhooks.publish` writes it.
///   {"endpoint": 7, "event": "order.paid", "event_id": "evt_1", "at": "2026-11-21T10:00:00.000Z",
///    "data": {...}}
/// Without `event_id` the job has one of its own, without `at` it is when the job was created.
class event_payload {
   public:
    event_payload() = default;
    /// Error: invalid_argument with every fault; never with content.
    [[nodiscard]] static result<event_payload> parse(const run_view& run);

    std::int64_t endpoint{0};
    std::string type;
    std::string id;  ///< no dots: it is signed with dots around it
    std::string at;
    std::string data{"null"};  ///< JSON text, passed on digit for digit
};
static_assert(!std::is_aggregate_v<event_payload>);

/// Letters, digits and `_ -`, with dots between.
[[nodiscard]] bool is_event_type(std::string_view text) noexcept;
/// 1 to 128 letters, digits and `_ : -`.
[[nodiscard]] bool is_event_id(std::string_view text) noexcept;

/// The message in the endpoint's format, the same bytes on every attempt but for the signature.
/// CloudEvents 1.0: JSON event format and HTTP protocol binding.
[[nodiscard]] http_request message_of(const settings& with, const endpoint& to,
                                      const event_payload& event);

}  // namespace libqueue::processors::webhook
