#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

// JSON Web Tokens as somebody else's program would make them: right ones and whatever a test wants
// instead. Links OpenSSL::Crypto.

namespace test {

/// base64url without padding.
inline std::string packed(std::string_view text) {
    constexpr std::string_view digits{
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
    std::string out;
    unsigned held = 0;
    unsigned bits = 0;
    for (const char c : text) {
        held = (held << 8U) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; out += digits[(held >> bits) & 63U])
            bits -= 6;
    }
    if (bits > 0)
        out += digits[(held << (6 - bits)) & 63U];
    return out;
}

/// HMAC with SHA-256.
inline std::string hmac(const std::string& key, const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> made{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.data(), &length);
    return {made.begin(), made.begin() + length};
}

/// A key pair for RS256.
class rsa_pair {
   public:
    rsa_pair() : key_{EVP_RSA_gen(2048)} {
        const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
        PEM_write_bio_PUBKEY(out.get(), key_);
        char* text = nullptr;
        const auto length = BIO_get_mem_data(out.get(), &text);
        public_pem = std::string(text, static_cast<std::size_t>(length));
    }
    rsa_pair(const rsa_pair&) = delete;
    rsa_pair& operator=(const rsa_pair&) = delete;
    ~rsa_pair() { EVP_PKEY_free(key_); }

    [[nodiscard]] std::string sign(const std::string& text) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                              &EVP_MD_CTX_free};
        std::string made(256, '\0');
        std::size_t length = made.size();
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_);
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.data()), &length,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
        made.resize(length);
        return made;
    }

    std::string public_pem;

   private:
    EVP_PKEY* key_;
};

/// A whole token, signed with a shared secret (HS256).
inline std::string shared_token(const std::string& key, const std::string& head,
                                const std::string& claims) {
    const auto text = packed(head) + '.' + packed(claims);
    return text + '.' + packed(hmac(key, text));
}

/// A whole token, signed with a private key (RS256).
inline std::string rsa_token(const rsa_pair& key, const std::string& head,
                             const std::string& claims) {
    const auto text = packed(head) + '.' + packed(claims);
    return text + '.' + packed(key.sign(text));
}

}  // namespace test
