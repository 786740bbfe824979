#pragma once

#include "processors/payment/provider.hpp"

// How answers of Stripe are read. Pure; any thread. Sources: docs.stripe.com/api/errors,
// /error-low-level, /api/idempotent_requests, /payments/paymentintents/lifecycle; read against the
// version pinned in stripe.cpp.

namespace libqueue::processors::payment {

/// The table of docs/processors/payment.md: what an answer to a mutating request says. Of 2xx the
/// reply is filled by `intent_in` or `refund_in`.
[[nodiscard]] reply stripe_judgement(const http_response& response);

/// A payment intent, as an answer's whole body or the `payment_intent` of an error. `done` when it
/// could be read, else `doubt`.
[[nodiscard]] reply intent_in(std::string_view json);

/// A refund: done when Stripe has taken it on (succeeded, pending, requires_action), refused when
/// it failed or was cancelled.
[[nodiscard]] reply refund_in(std::string_view json);

/// One page of a list or a search.
class page {
   public:
    page() = default;
    bool readable{false};
    bool has_more{false};
    std::string last_id;
    std::string found;  ///< JSON of the first object whose metadata[libqueue_job] is the mark
};
static_assert(!std::is_aggregate_v<page>);
[[nodiscard]] page page_in(std::string_view json, std::string_view mark);

}  // namespace libqueue::processors::payment
