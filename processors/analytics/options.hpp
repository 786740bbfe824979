#pragma once

#include "processors/support/secret.hpp"

#include <chrono>
#include <type_traits>

namespace libqueue::processors::analytics {

class options {
   public:
    options() = default;

    /// Turns customer ids into pseudonyms (`pseudonym_of`): at least 32 bytes. Whoever has it can
    /// test guesses; with another one every customer becomes a new one, so it is not rotated.
    secret customer_key;
    /// How long before its job was enqueued an event may have happened; 0 to 365 days. Older ones
    /// are listed in analytics.rejected and not counted.
    std::chrono::milliseconds max_late{std::chrono::hours{7 * 24}};
    /// How far its time may lie ahead of the database's when its job was enqueued; 0 to 7 days.
    std::chrono::milliseconds max_ahead{std::chrono::hours{1}};
    /// Address of an incoming webhook of Slack, which is a secret. Empty: no kind
    /// `analytics.slack`.
    secret slack_url;
    bool slack_allow_private{false};  ///< http:// and private addresses too; for tests
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace libqueue::processors::analytics
