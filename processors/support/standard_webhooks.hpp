#pragma once

#include "processors/support/secret.hpp"

#include <libqueue/error.hpp>

#include <chrono>
#include <span>
#include <string>
#include <string_view>

// Signatures of the Standard Webhooks specification 1.0, symmetric form: what `webhook.deliver`
// sends and what a receiver of ours checks. Pure apart from OpenSSL; any thread.

namespace libqueue::processors::standard_webhooks {

/// A symmetric signing key: 24 to 64 bytes, written `whsec_` + base64.
class signing_key {
   public:
    /// Error: invalid_argument; the message never contains the text.
    [[nodiscard]] static result<signing_key> parse(std::string_view text);
    [[nodiscard]] std::string_view bytes() const noexcept { return bytes_.reveal(); }

   private:
    explicit signing_key(secret bytes) noexcept : bytes_{std::move(bytes)} {}
    secret bytes_;
};

/// `v1,<base64>` over `id.timestamp.body`. The id must not contain a dot (asserted: the dot
/// separates the signed parts, so an id with one could be read in two ways).
[[nodiscard]] std::string signature(const signing_key& key, std::string_view id,
                                    std::chrono::sys_seconds timestamp, std::string_view body);
/// The header: one signature per key, separated by a space; both keys during a rotation.
[[nodiscard]] std::string signature_header(std::span<const signing_key> keys, std::string_view id,
                                           std::chrono::sys_seconds timestamp,
                                           std::string_view body);

/// The three headers as they were received.
class received_headers {
   public:
    received_headers(std::string_view id_, std::string_view timestamp_, std::string_view signature_)
        : id{id_}, timestamp{timestamp_}, signature{signature_} {}
    std::string_view id;
    std::string_view timestamp;
    std::string_view signature;
};

/// For receivers: succeeds when any `v1` signature fits any key and the timestamp lies within
/// `tolerance` of `now`. Compares in constant time. `body` is the raw body, before any parsing.
/// Error: invalid_argument, saying what was wrong but not which byte.
///
/// A valid message may come again within the tolerance: remember ids to refuse replays.
[[nodiscard]] result<void> verify(std::span<const signing_key> keys,
                                  const received_headers& headers, std::string_view body,
                                  std::chrono::sys_seconds now,
                                  std::chrono::seconds tolerance = std::chrono::minutes{5});

}  // namespace libqueue::processors::standard_webhooks
