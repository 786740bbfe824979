#pragma once

#include "processors/support/secret.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>

namespace libqueue::processors::payment {

/// Who holds the money.
enum class provider_kind {
    stripe,    ///< PaymentIntents of Stripe, or what speaks its language
    internal,  ///< a payment service of our own, called with signed requests
};

class options {
   public:
    explicit options(provider_kind provider_) : provider{provider_} {}

    provider_kind provider;
    /// Of Stripe: empty for https://api.stripe.com. Of the internal service: required. Without a
    /// slash at the end. It comes from the configuration, not from payloads, so private addresses
    /// are allowed.
    std::string base_url;
    /// Stripe: a restricted key (rk_...) that may write payment intents and refunds. Internal: the
    /// key both services share, at least 32 bytes.
    secret key;
    std::string service{"workerd"};             ///< our name at the internal service
    std::chrono::milliseconds timeout{20'000};  ///< for all requests of one run
    std::filesystem::path ca_file;              ///< instead of the system's certificates
    bool allow_http{false};
    std::int64_t most{99'999'999};  ///< the largest amount, in minor units
    /// How long a customer may take over a confirmation (3-D Secure) before the payment is
    /// cancelled.
    std::chrono::seconds action_timeout{std::chrono::hours{24}};
    /// Name of the limit the kinds are under; empty: none. `default_limits` has its figures.
    std::string limit;
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace libqueue::processors::payment
