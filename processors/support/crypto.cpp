#include "processors/support/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <climits>
#include <cstdint>
#include <stdexcept>

namespace libqueue::processors {

namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char* unsigned_bytes(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string hex_text(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(digits[byte >> 4U]);
        out.push_back(digits[byte & 15U]);
    }
    return out;
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (count > INT_MAX ||
        RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
        throw std::runtime_error{"OpenSSL: no random bytes"};
    }
    return bytes;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
    if (key.size() > INT_MAX) {
        throw std::runtime_error{"HMAC key too long"};
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    // OpenSSL takes a null key for "the previous one"; an empty view may hold a null pointer.
    const char* bytes = key.empty() ? "" : key.data();
    if (HMAC(EVP_sha256(), bytes, static_cast<int>(key.size()), unsigned_bytes(text), text.size(),
             digest.data(), &size) == nullptr) {
        throw std::runtime_error{"OpenSSL: HMAC failed"};
    }
    return {digest.begin(), digest.begin() + size};
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
    return hex_text(hmac_sha256(key, text));
}

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error{"OpenSSL: SHA-256 failed"};
    }
    return hex_text({reinterpret_cast<const char*>(digest.data()), size});
}

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = (group << 8U) | (i + j < bytes.size() ? unsigned_bytes(bytes)[i + j] : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            const bool padding = i + j > bytes.size();
            out.push_back(padding ? '=' : base64_alphabet[(group >> (18U - 6U * j)) & 63U]);
        }
    }
    return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    const auto digits = text.substr(0, text.size() - padding);
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : digits) {
        const auto value = base64_alphabet.find(c);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out.push_back(static_cast<char>((bits >> held) & 255U));
        }
    }
    // Left-over bits must be zero, or two texts would stand for the same bytes.
    if ((bits & ((1U << held) - 1U)) != 0) {
        return std::nullopt;
    }
    return out;
}

bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace libqueue::processors
