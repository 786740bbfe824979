#pragma once

#include <optional>
#include <string>
#include <string_view>

// Thin names for what we need of OpenSSL. All functions may be called from any thread and throw
// std::runtime_error only when OpenSSL itself fails, which it does out of memory.

namespace libqueue::processors {

/// 32 raw bytes.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);
/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);
/// 64 lower-case hexadecimal digits; the signature form of plain HMAC schemes.
[[nodiscard]] std::string hmac_sha256_hex(std::string_view key, std::string_view text);

/// Lower-case hexadecimal digits, two per byte.
[[nodiscard]] std::string hex_text(std::string_view bytes);
/// From OpenSSL's generator.
[[nodiscard]] std::string random_bytes(std::size_t count);

/// RFC 4648 section 4, padded, without line breaks.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// Strict: alphabet, length and padding must be right; no white space.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

/// Takes the same time wherever the two differ. Their lengths are not secret.
[[nodiscard]] bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept;

}  // namespace libqueue::processors
