#pragma once

#include <libqueue/error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

// Signatures of webhooks by the Standard Webhooks specification 1.0 (standardwebhooks.com): what
// `webhook.deliver` and `webhook.event` send, and what a receiver checks. All of it is pure apart
// from OpenSSL and may be called from any thread.
//
//   const auto key = libqueue::webhook::key::parse("whsec_...").value();
//   const libqueue::webhook::received_headers headers{id, timestamp, signature};
//   if (!libqueue::webhook::verify({&key, 1}, headers, raw_body, now)) { answer 401 }

namespace libqueue::webhook {

class received_headers;

enum class scheme {
    v1,   ///< HMAC-SHA256: both sides know the secret
    v1a,  ///< ed25519: the receiver knows the public key only
};

[[nodiscard]] std::string_view to_string(scheme which) noexcept;

/// A key, in one of three forms of text:
///   `whsec_` + base64 of 24 to 64 bytes: signs and verifies, v1
///   `whsk_` + base64 of 32 bytes (the ed25519 seed) or 64 (seed and public key): the same, v1a
///   `whpk_` + base64 of the 32 bytes of the public key: verifies, v1a
/// Copies share the bytes, which are wiped with the last of them.
class key {
   public:
    /// Error: invalid_argument; the message never contains the text.
    [[nodiscard]] static result<key> parse(std::string_view text);

    [[nodiscard]] webhook::scheme scheme() const noexcept;
    /// False for `whpk_`.
    [[nodiscard]] bool signs() const noexcept;
    /// What the receiver must be given: `whsec_...`, a secret, or `whpk_...`, which is none.
    [[nodiscard]] std::string receiver_text() const;

    /// `v1,<base64>` or `v1a,<base64>` over `id.timestamp.body`. The key must sign, and the id must
    /// not contain a dot (both asserted: the dot separates the signed parts, so an id with one
    /// could be read in two ways).
    [[nodiscard]] std::string signature(std::string_view id, std::chrono::sys_seconds timestamp,
                                        std::string_view body) const;

   private:
    friend class master_key;
    friend result<void> verify(std::span<const key> keys, const received_headers& headers,
                               std::string_view body, std::chrono::sys_seconds now,
                               std::chrono::seconds tolerance);
    class impl;
    explicit key(std::shared_ptr<const impl> made) noexcept : impl_{std::move(made)} {}
    // Shared by the copies; immutable.
    std::shared_ptr<const impl> impl_;
};

/// The header: one signature per key, separated by a space; both keys during a rotation.
[[nodiscard]] std::string signature_header(std::span<const key> keys, std::string_view id,
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
static_assert(!std::is_aggregate_v<received_headers>);

/// For receivers: succeeds when any signature fits any key of its scheme and the timestamp lies
/// within `tolerance` of `now`. Compares in constant time. `body` is the raw body, before any
/// parsing. Error: invalid_argument, saying what was wrong but not which byte.
///
/// A valid message may come again within the tolerance: remember ids to refuse replays.
[[nodiscard]] result<void> verify(std::span<const key> keys, const received_headers& headers,
                                  std::string_view body, std::chrono::sys_seconds now,
                                  std::chrono::seconds tolerance = std::chrono::minutes{5});

/// What the keys of all endpoints are derived from: 32 bytes, written as 64 hexadecimal digits or
/// as base64 (`openssl rand -hex 32`). Whoever has it can sign for every endpoint; the database has
/// only the ids of keys, so a copy of it gives no key away and a new id is a new key.
///
/// The key is HKDF-SHA256 (RFC 5869) of the master, salt `libqueue webhook endpoint`, info
/// `<scheme>\n<endpoint>\n<key id in lower case>`: 32 bytes, the HMAC secret or the ed25519 seed.
class master_key {
   public:
    /// Error: invalid_argument; the message never contains the text.
    [[nodiscard]] static result<master_key> parse(std::string_view text);
    /// The key of a row of webhooks.signing_key.
    [[nodiscard]] key derive(std::int64_t endpoint, std::string_view key_id,
                             webhook::scheme which) const;

   private:
    class impl;
    explicit master_key(std::shared_ptr<const impl> made) noexcept : impl_{std::move(made)} {}
    // Shared by the copies; immutable.
    std::shared_ptr<const impl> impl_;
};

}  // namespace libqueue::webhook
