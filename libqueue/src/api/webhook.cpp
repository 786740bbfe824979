#include "core/envelope.hpp"

#include <libqueue/webhook.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <stdexcept>
#include <vector>

namespace libqueue::webhook {

namespace {

constexpr std::string_view secret_prefix{"whsec_"};
constexpr std::string_view private_prefix{"whsk_"};
constexpr std::string_view public_prefix{"whpk_"};
constexpr std::size_t smallest_secret = 24;
constexpr std::size_t largest_secret = 64;
constexpr std::size_t seed_bytes = 32;
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t ed25519_bytes = 64;

error invalid(std::string message, std::string hint = {}) {
    return error{errc::invalid_argument, std::move(message), std::move(hint)};
}

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void demand(bool ok) {
    if (!ok) {
        throw std::runtime_error{"OpenSSL failed to sign or to make a key"};
    }
}

class pkey_deleter {
   public:
    void operator()(EVP_PKEY* which) const noexcept { EVP_PKEY_free(which); }
};
using pkey = std::unique_ptr<EVP_PKEY, pkey_deleter>;

class context_deleter {
   public:
    void operator()(EVP_MD_CTX* which) const noexcept { EVP_MD_CTX_free(which); }
};

std::unique_ptr<EVP_MD_CTX, context_deleter> make_context() {
    std::unique_ptr<EVP_MD_CTX, context_deleter> made{EVP_MD_CTX_new()};
    demand(made != nullptr);
    return made;
}

std::string public_bytes(EVP_PKEY* of) {
    std::string bytes(seed_bytes, '\0');
    std::size_t size = bytes.size();
    demand(EVP_PKEY_get_raw_public_key(of, reinterpret_cast<unsigned char*>(bytes.data()), &size) ==
           1);
    return bytes;
}

std::string signed_text(std::string_view id, std::chrono::sys_seconds timestamp,
                        std::string_view body) {
    LIBQUEUE_ASSERT(id.find('.') == std::string_view::npos);
    auto seconds = std::to_string(timestamp.time_since_epoch().count());
    std::string text;
    text.reserve(id.size() + seconds.size() + body.size() + 2);
    text += id;
    text += '.';
    text += seconds;
    text += '.';
    text += body;
    return text;
}

/// A text that holds a secret, wiped when it goes.
class wiped {
   public:
    explicit wiped(std::string text_) : text{std::move(text_)} {}
    wiped(const wiped&) = delete;
    wiped& operator=(const wiped&) = delete;
    ~wiped() { OPENSSL_cleanse(text.data(), text.size()); }
    std::string text;
};

}  // namespace

std::string_view to_string(scheme which) noexcept {
    return which == scheme::v1 ? "v1" : "v1a";
}

class key::impl {
   public:
    impl(webhook::scheme which, std::string_view secret, pkey pair_, bool signs_)
        : scheme{which},
          bytes(secret.begin(), secret.end()),
          pair{std::move(pair_)},
          signs{signs_} {}
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

    static std::shared_ptr<const impl> of_secret(std::string_view secret) {
        return std::make_shared<const impl>(scheme::v1, secret, pkey{}, true);
    }
    static std::shared_ptr<const impl> of_seed(std::string_view seed) {
        pkey pair{
            EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size())};
        demand(pair != nullptr);
        return std::make_shared<const impl>(scheme::v1a, std::string_view{}, std::move(pair), true);
    }

    [[nodiscard]] std::string hmac(std::string_view text) const {
        std::string digest(digest_bytes, '\0');
        unsigned int size = 0;
        demand(HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()), bytes_of(text),
                    text.size(), reinterpret_cast<unsigned char*>(digest.data()),
                    &size) != nullptr);
        return digest;
    }

    [[nodiscard]] std::string ed25519(std::string_view text) const {
        const auto context = make_context();
        std::string made(ed25519_bytes, '\0');
        std::size_t size = made.size();
        demand(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pair.get()) == 1 &&
               EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.data()), &size,
                              bytes_of(text), text.size()) == 1);
        return made;
    }

    /// `given` is what follows the comma of this key's scheme.
    [[nodiscard]] bool fits(std::string_view given, std::string_view text) const {
        const auto decoded = core::from_base64(given);
        if (!decoded) {
            return false;
        }
        if (scheme == scheme::v1) {
            const auto expected = hmac(text);
            return decoded->size() == expected.size() &&
                   CRYPTO_memcmp(decoded->data(), expected.data(), expected.size()) == 0;
        }
        const auto context = make_context();
        return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pair.get()) == 1 &&
               EVP_DigestVerify(context.get(), bytes_of(*decoded), decoded->size(), bytes_of(text),
                                text.size()) == 1;
    }

    webhook::scheme scheme;
    std::vector<unsigned char> bytes;  ///< of v1
    pkey pair;                         ///< of v1a
    bool signs;
};

result<key> key::parse(std::string_view text) {
    const std::string hint{"generate one: echo whsec_$(openssl rand -base64 32)"};
    const auto prefix = text.starts_with(secret_prefix)    ? secret_prefix
                        : text.starts_with(private_prefix) ? private_prefix
                        : text.starts_with(public_prefix)  ? public_prefix
                                                           : std::string_view{};
    if (prefix.empty()) {
        return invalid("webhook secret: expected whsec_, whsk_ or whpk_ followed by base64", hint);
    }
    const wiped bytes{core::from_base64(text.substr(prefix.size())).value_or("")};
    const std::string_view held{bytes.text};
    if (held.empty()) {
        return invalid("webhook secret: what follows " + std::string{prefix} + " is not base64",
                       hint);
    }
    const auto size = "got " + std::to_string(held.size());
    if (prefix == secret_prefix) {
        if (held.size() < smallest_secret || held.size() > largest_secret) {
            return invalid("webhook secret: expected 24 to 64 bytes, " + size, hint);
        }
        return key{impl::of_secret(held)};
    }
    if (prefix == public_prefix) {
        pkey pair{held.size() == seed_bytes
                      ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(held),
                                                    held.size())
                      : nullptr};
        if (!pair) {
            return invalid("webhook key: expected the 32 bytes of an ed25519 public key, " + size);
        }
        return key{
            std::make_shared<const impl>(scheme::v1a, std::string_view{}, std::move(pair), false)};
    }
    if (held.size() != seed_bytes && held.size() != 2 * seed_bytes) {
        return invalid("webhook key: expected 32 or 64 bytes of an ed25519 key, " + size);
    }
    auto made = impl::of_seed(held.substr(0, seed_bytes));
    if (held.size() > seed_bytes && public_bytes(made->pair.get()) != held.substr(seed_bytes)) {
        return invalid("webhook key: the second half of whsk_ is not the public key of the first");
    }
    return key{std::move(made)};
}

scheme key::scheme() const noexcept {
    return impl_->scheme;
}

bool key::signs() const noexcept {
    return impl_->signs;
}

std::string key::receiver_text() const {
    if (impl_->scheme == scheme::v1a) {
        return std::string{public_prefix} + core::to_base64(public_bytes(impl_->pair.get()));
    }
    const std::string_view secret{reinterpret_cast<const char*>(impl_->bytes.data()),
                                  impl_->bytes.size()};
    return std::string{secret_prefix} + core::to_base64(secret);
}

std::string key::signature(std::string_view id, std::chrono::sys_seconds timestamp,
                           std::string_view body) const {
    LIBQUEUE_ASSERT(impl_->signs);
    const auto text = signed_text(id, timestamp, body);
    return impl_->scheme == scheme::v1 ? "v1," + core::to_base64(impl_->hmac(text))
                                       : "v1a," + core::to_base64(impl_->ed25519(text));
}

std::string signature_header(std::span<const key> keys, std::string_view id,
                             std::chrono::sys_seconds timestamp, std::string_view body) {
    std::string header;
    for (const auto& one : keys) {
        if (!header.empty()) {
            header += ' ';
        }
        header += one.signature(id, timestamp, body);
    }
    return header;
}

result<void> verify(std::span<const key> keys, const received_headers& headers,
                    std::string_view body, std::chrono::sys_seconds now,
                    std::chrono::seconds tolerance) {
    if (headers.id.empty() || headers.id.find('.') != std::string_view::npos) {
        return invalid("webhook-id: expected an id without dots");
    }
    std::int64_t seconds = 0;
    const char* const begin = std::to_address(headers.timestamp.begin());
    const char* const end = begin + headers.timestamp.size();
    const auto [stop, failed] = std::from_chars(begin, end, seconds);
    // The bound keeps the arithmetic below from overflowing; it is the year 9999.
    if (failed != std::errc{} || stop != end || seconds < 0 || seconds > 253'402'300'799) {
        return invalid("webhook-timestamp: expected seconds since 1970");
    }
    const std::chrono::sys_seconds sent{std::chrono::seconds{seconds}};
    if (sent < now - tolerance || sent > now + tolerance) {
        return invalid("webhook-timestamp: too far from our clock",
                       "check the clocks of both machines; old messages are refused");
    }
    // Whoever sends may list many; each costs us a computation.
    constexpr int most_signatures = 16;
    const auto text = signed_text(headers.id, sent, body);
    bool matched = false;
    auto rest = headers.signature;
    for (int n = 0; !rest.empty() && n < most_signatures; ++n) {
        const auto space = rest.find(' ');
        const auto one = rest.substr(0, space);
        const auto comma = one.find(',');
        for (const auto& with : keys) {
            // No early exit: how long this takes says nothing about which signature fitted.
            if (comma != std::string_view::npos &&
                one.substr(0, comma) == to_string(with.scheme())) {
                matched |= with.impl_->fits(one.substr(comma + 1), text);
            }
        }
        rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
    }
    if (!matched) {
        return invalid("webhook-signature: none of the signatures fits");
    }
    return {};
}

class master_key::impl {
   public:
    impl() = default;
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    std::array<unsigned char, core::key_bytes> bytes{};
};

result<master_key> master_key::parse(std::string_view text) {
    const auto made = std::make_shared<impl>();
    auto& bytes = made->bytes;
    if (text.size() == 2 * bytes.size()) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const char* const begin = text.data() + 2 * i;
            const auto [stop, failed] = std::from_chars(begin, begin + 2, bytes[i], 16);
            if (failed != std::errc{} || stop != begin + 2) {
                return invalid("webhook master key: expected 64 hexadecimal digits",
                               "generate one: openssl rand -hex 32");
            }
        }
        return master_key{made};
    }
    const wiped decoded{core::from_base64(text).value_or("")};
    if (decoded.text.size() != bytes.size()) {
        return invalid("webhook master key: expected 32 bytes as 64 hexadecimal digits or base64",
                       "generate one: openssl rand -hex 32");
    }
    std::copy(decoded.text.begin(), decoded.text.end(), bytes.begin());
    return master_key{made};
}

key master_key::derive(std::int64_t endpoint, std::string_view key_id,
                       webhook::scheme which) const {
    std::string info{to_string(which)};
    info += '\n' + std::to_string(endpoint) + '\n';
    info += key_id;
    wiped bytes{std::string(core::key_bytes, '\0')};
    core::derive_key(impl_->bytes, "libqueue webhook endpoint", info,
                     std::span<unsigned char, core::key_bytes>{
                         reinterpret_cast<unsigned char*>(bytes.text.data()), core::key_bytes});
    return key{which == scheme::v1 ? key::impl::of_secret(bytes.text)
                                   : key::impl::of_seed(bytes.text)};
}

}  // namespace libqueue::webhook
