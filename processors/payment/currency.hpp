#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Money is an integer of minor units and an ISO 4217 code, never a fraction. Pure; any thread.

namespace libqueue::processors::payment {

/// Digits of the minor unit of a currency in use, by its code in capital letters: 2 for EUR, 0 for
/// JPY, 3 for KWD (ISO 4217, list one of 2024-06-25). Empty: no such currency. Metals, funds and
/// test codes (X..) are none.
[[nodiscard]] std::optional<int> minor_digits(std::string_view code) noexcept;

/// The amount as Stripe wants it, or nothing when Stripe cannot charge it. Its units differ from
/// the minor units of ISO 4217 for some currencies (docs.stripe.com/currencies, "Special cases"):
/// ISK and UGX are given with two digits that must be zero, MGA without its minor unit, and of the
/// currencies with three digits the last must be zero.
[[nodiscard]] std::optional<std::int64_t> stripe_amount(std::int64_t minor, std::string_view code);
/// The other way round, for what Stripe answers.
[[nodiscard]] std::int64_t amount_from_stripe(std::int64_t amount, std::string_view code);

/// ASCII letters only.
[[nodiscard]] std::string to_upper(std::string_view text);

}  // namespace libqueue::processors::payment
