#include "processors/mint/signing_key.hpp"

#include "processors/mint/base58.hpp"
#include "processors/support/secret.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>

namespace libqueue::processors::mint {

namespace {

constexpr std::size_t seed_size = 32;
constexpr std::size_t pair_size = 64;

class key_deleter {
   public:
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using openssl_key = std::unique_ptr<EVP_PKEY, key_deleter>;

openssl_key opened(const locked_memory& seed) {
    openssl_key key{
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())};
    if (!key) {
        throw std::runtime_error{"OpenSSL: ed25519 key failed"};
    }
    return key;
}

public_key address_of(const locked_memory& seed) {
    std::array<unsigned char, public_key::size> bytes{};
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(opened(seed).get(), bytes.data(), &size) != 1) {
        throw std::runtime_error{"OpenSSL: ed25519 public key failed"};
    }
    return public_key::from_bytes({reinterpret_cast<const char*>(bytes.data()), size}).value();
}

/// Line ends count as blanks.
std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// A JSON array of numbers, read by hand so that no parser keeps pieces of it. Writes at most 64
/// bytes; false when it is anything else.
bool read_numbers(std::string_view text, locked_memory& into) {
    if (!text.starts_with('[') || !text.ends_with(']')) {
        return false;
    }
    text = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < into.size(); ++i) {
        const auto end = std::min(text.find(','), text.size());
        const bool last = i + 1 == into.size();
        if ((end == text.size()) != last) {
            return false;
        }
        const auto digits = without_blanks(text.substr(0, end));
        unsigned value = 0;
        if (digits.empty() || digits.size() > 3) {
            return false;
        }
        for (const char c : digits) {
            if (c < '0' || c > '9') {
                return false;
            }
            value = value * 10 + static_cast<unsigned>(c - '0');
        }
        if (value > 255) {
            return false;
        }
        into.data()[i] = static_cast<unsigned char>(value);
        text = last ? std::string_view{} : text.substr(end + 1);
    }
    return true;
}

bool read_pair(std::string_view text, locked_memory& into) {
    if (text.starts_with('[')) {
        return read_numbers(text, into);
    }
    auto bytes = base58_decode(text, pair_size);
    const bool fits = bytes && bytes->size() == pair_size;
    if (fits) {
        std::copy(bytes->begin(), bytes->end(), reinterpret_cast<char*>(into.data()));
    }
    if (bytes) {
        OPENSSL_cleanse(bytes->data(), bytes->size());
    }
    return fits;
}

error bad_key(const std::string& got) {
    return error{errc::invalid_argument, "signing key: " + got,
                 "expected the 64 bytes that solana-keygen writes, as a JSON array of numbers or "
                 "in base58"};
}

}  // namespace

signing_key::signing_key(std::string_view seed) : seed_{seed_size} {
    if (seed.size() != seed_size) {
        throw std::runtime_error{"signing key: expected a seed of 32 bytes"};
    }
    std::copy(seed.begin(), seed.end(), reinterpret_cast<char*>(seed_.data()));
    address_ = address_of(seed_);
}

result<std::shared_ptr<const signing_key>> signing_key::parse(std::string_view text) {
    locked_memory pair{pair_size};
    if (!read_pair(without_blanks(text), pair)) {
        return bad_key("is neither a JSON array of 64 bytes nor base58 of as many");
    }
    auto key = std::make_shared<const signing_key>(pair.reveal().substr(0, seed_size));
    if (key->address().bytes() != pair.reveal().substr(seed_size)) {
        return bad_key("its public half does not belong to its secret half");
    }
    return key;
}

result<std::shared_ptr<const signing_key>> signing_key::read(const std::filesystem::path& path) {
    const auto content = read_secret_file(path);
    if (!content) {
        return content.error();
    }
    auto key = parse(content->reveal());
    if (!key) {
        error faulty = key.error();
        faulty.message = path.string() + ": " + faulty.message;
        return faulty;
    }
    return key;
}

std::string signing_key::sign(std::string_view message) const {
    const auto key = opened(seed_);
    const std::unique_ptr<EVP_MD_CTX, key_deleter> context{EVP_MD_CTX_new()};
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) != 1) {
        throw std::runtime_error{"OpenSSL: ed25519 signature failed"};
    }
    return signature;
}

}  // namespace libqueue::processors::mint
