#pragma once

#include <libqueue/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue::processors::payment {

/// Which payment is meant: by our id, by order and part, or by the provider's id.
class payment_name {
   public:
    payment_name() = default;
    std::optional<std::int64_t> payment_id;
    std::optional<std::string> order_id;
    std::string part;
    std::optional<std::string> provider_id;
};
static_assert(!std::is_aggregate_v<payment_name>);

/// What `payment.process` is told:
///   {"order_id": "o-7", "amount": 1250, "currency": "eur", "payment_method": "pm_1",
///    "part": "deposit", "customer": "cus_1", "capture": false, "off_session": true,
///    "return_url": "https://...", "description": "...", "metadata": {"event": "9"}}
/// The first four are required. `amount` is in minor units of ISO 4217.
class process_payload {
   public:
    process_payload() = default;
    /// Error: invalid_argument with every fault; never with content.
    [[nodiscard]] static result<process_payload> parse(std::string_view json, std::int64_t most);

    std::string order_id;
    std::string part;
    std::int64_t amount{0};
    std::string currency;  ///< in capital letters
    std::string payment_method;
    std::string customer;
    bool capture{true};
    bool off_session{false};
    std::string return_url;
    std::string description;
    std::vector<std::pair<std::string, std::string>> metadata;
};
static_assert(!std::is_aggregate_v<process_payload>);

/// `payment.retry`: {"order_id": "o-7", "payment_method": "pm_2", "return_url": "..."} and
/// `payment.capture`: {"payment_id": 7, "amount": 1000}, each naming the payment in one of the ways
/// above.
class follow_payload {
   public:
    follow_payload() = default;
    [[nodiscard]] static result<follow_payload> parse(std::string_view json, bool needs_method,
                                                      std::int64_t most);

    payment_name payment;
    std::string payment_method;
    std::string return_url;
    std::optional<std::int64_t> amount;  ///< to capture; empty: all of it
};
static_assert(!std::is_aggregate_v<follow_payload>);

enum class refund_mode {
    either,   ///< refund.process: `amount` says whether all or a part
    whole,    ///< refund.full: all that is left; no `amount`
    partial,  ///< refund.partial: `amount` is required
};

/// What `refund.*` is told:
///   {"order_id": "o-7", "amount": 500, "currency": "eur", "reference": "rma-4",
///    "reason": "requested_by_customer"}
/// with the payment named in one of the ways above.
class refund_payload {
   public:
    refund_payload() = default;
    [[nodiscard]] static result<refund_payload> parse(std::string_view json, refund_mode mode,
                                                      std::int64_t most);

    payment_name payment;
    std::optional<std::int64_t> amount;
    std::optional<std::string> currency;  ///< when given it must be the payment's
    std::optional<std::string> reference;
    std::string reason;  ///< duplicate, fraudulent, requested_by_customer or empty
};
static_assert(!std::is_aggregate_v<refund_payload>);

}  // namespace libqueue::processors::payment
