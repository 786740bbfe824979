#pragma once

#include "processors/support/secret.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <type_traits>

namespace libqueue::processors::sms {

/// What to do when a message may have been sent and nobody said so. The provider's POST is not
/// idempotent, so it is never simply repeated.
enum class unknown_policy {
    park,     ///< a dead letter until a person has resolved the effect
    look_up,  ///< ask the provider for the messages it sent; needs a mark in every text
};

class options {
   public:
    /// `account`: the account's id (AC...), part of the path and, without `user`, the login.
    options(std::string account_, secret token_)
        : account{std::move(account_)}, token{std::move(token_)} {}

    std::string url{"https://api.twilio.com"};  ///< scheme and host of the API
    std::string account;
    std::string user;  ///< an API key's id instead of the account's
    secret token;
    std::string
        from;  ///< number, short code, name of up to 11 letters and digits, or MG... service
    std::chrono::milliseconds timeout{15'000};  ///< of one request, connecting included
    int most_segments{6};                       ///< a longer text is refused, as each one costs
    unknown_policy on_unknown{unknown_policy::park};
    /// Under `look_up`: how long after a first look without a find a second one is believed. The
    /// provider's list is behind its sending by some seconds.
    std::chrono::milliseconds settle{30'000};
    bool stores{true};            ///< preferences, limits and suppressions: needs migration_sets()
    int hourly_per_recipient{5};  ///< the rest waits; 0: any number
    std::filesystem::path ca_file;  ///< instead of the system's certificates
    bool allow_private{false};      ///< reach the API at private and loopback addresses: for tests
    bool allow_http{false};         ///< the API may be at http://: for tests
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace libqueue::processors::sms
