#pragma once

#include "processors/payment/options.hpp"
#include "processors/payment/provider.hpp"

#include <memory>
#include <string_view>

namespace libqueue::processors::payment {

/// The payment service of our own, spoken to in JSON, every request signed (internal_auth.hpp):
///
///   POST /api/v1/payments/process        {"reference","order_id","amount","currency", ...}
///   GET  /api/v1/payments/{id}/status    {id}: the service's, or our reference
///   POST /api/v1/payments/{id}/confirm   {"payment_method"}
///   POST /api/v1/payments/{id}/capture   {"amount"}
///   POST /api/v1/payments/{id}/cancel    {}
///   POST /api/v1/payments/{id}/refunds   {"reference","amount","reason"}
///
/// Mutating requests carry `Idempotency-Key`. All answer with the payment:
///   {"payment_id","status","amount","currency","captured","refunded","failure_code",
///    "next_action_url","refunds":[{"refund_id","reference","status"}]}
/// status: processing, requires_action, authorized, succeeded, failed, cancelled; of a refund:
/// pending, succeeded, failed. Amounts are minor units of ISO 4217.
///
/// Throws std::invalid_argument naming the fault.
[[nodiscard]] std::unique_ptr<provider> make_internal_service(const options& given);

/// The payment in an answer; for `refund`, the refund of this reference within it. Pure.
[[nodiscard]] reply internal_payment_in(std::string_view json, const operation& what);

}  // namespace libqueue::processors::payment
