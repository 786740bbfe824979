#pragma once

#include <libqueue/encryption.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The sealed form of a JSON text: AES-256-GCM under a key of its own, derived from the named key
/// and from whom the text belongs to. Pure but for OpenSSL's random numbers; any thread.
namespace libqueue::core {

inline constexpr std::size_t key_bytes = 32;
using key_view = std::span<const unsigned char, key_bytes>;

/// `seal_owner` in the one form all parties compute with: UUIDs in lower case.
[[nodiscard]] std::string owner_text(const seal_owner& owner);

/// A parsed envelope.
class envelope {
   public:
    std::string key_id;
    std::string hash;    ///< base64 or empty: what idempotency compares
    std::string nonce;   ///< 12 bytes
    std::string sealed;  ///< ciphertext and 16 bytes of tag
};

[[nodiscard]] std::optional<envelope> parse_envelope(std::string_view json);

/// Printed as jsonb prints it, so that it reads back as it was written.
[[nodiscard]] std::string seal(key_view key, std::string_view key_id, std::string_view hash,
                               const seal_owner& owner, std::string_view plain);
/// Nothing when a single bit of it, or of whom it belongs to, is another.
[[nodiscard]] std::optional<std::string> open(key_view key, const envelope& from,
                                              const seal_owner& owner);

/// Equal texts of one kind and tenant have equal hashes, as far as the key stays; white space
/// between tokens does not count. Base64.
[[nodiscard]] std::string content_hash(key_view key, const seal_owner& owner,
                                       std::string_view json);

/// HKDF (RFC 5869) with SHA-256, one block of output.
void derive_key(key_view key, std::string_view salt, std::string_view info,
                std::span<unsigned char, key_bytes> into);

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing unless `text` is the one canonical base64 of some bytes.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace libqueue::core
