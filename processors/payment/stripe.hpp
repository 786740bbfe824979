#pragma once

#include "processors/payment/options.hpp"
#include "processors/payment/provider.hpp"

#include <memory>

namespace libqueue::processors::payment {

/// Stripe's PaymentIntents and refunds. Throws std::invalid_argument naming the fault.
[[nodiscard]] std::unique_ptr<provider> make_stripe(const options& given);

/// The version of the API every request names: answers are read as it has them.
inline constexpr std::string_view stripe_version = "2026-09-30.endive";

}  // namespace libqueue::processors::payment
