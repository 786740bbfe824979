#include "core/envelope.hpp"

#include <boost/json.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <climits>
#include <memory>

namespace libqueue::core {
namespace {

constexpr std::string_view algorithm{"A256GCM"};
constexpr std::string_view version{"1"};
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t digest_bytes = 32;
// Chunks of what OpenSSL counts in int.
constexpr std::size_t chunk_bytes = std::size_t{1} << 24;

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

void demand(bool done, const char* what) {
    if (!done) {
        throw failure{std::string{"OpenSSL: "} + what + " failed", {}, false, false};
    }
}

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) noexcept {
    return reinterpret_cast<unsigned char*>(text.data());
}

/// Wiped when it goes.
class derived_key {
   public:
    derived_key(key_view key, std::string_view salt, std::string_view info) {
        derive_key(key, salt, info, bytes_);
    }
    derived_key(const derived_key&) = delete;
    derived_key& operator=(const derived_key&) = delete;
    ~derived_key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
    [[nodiscard]] const unsigned char* data() const noexcept { return bytes_.data(); }

   private:
    std::array<unsigned char, key_bytes> bytes_{};
};

void hmac(std::span<const unsigned char> key, std::string_view text, unsigned char* into) {
    unsigned int size = 0;
    demand(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
                into, &size) != nullptr &&
               size == digest_bytes,
           "HMAC");
}

/// Length first, so that no two lists of fields have the same bytes.
void add_field(std::string& to, std::string_view field) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        to += static_cast<char>((field.size() >> shift) & 0xFFU);
    }
    to += field;
}

std::string_view name_of(sealed_part part) noexcept {
    switch (part) {
        case sealed_part::payload:
            return "payload";
        case sealed_part::output:
            return "output";
        case sealed_part::checkpoint:
            return "checkpoint";
        case sealed_part::effect:
            return "effect";
    }
    return "payload";
}

std::string lower(std::string text) {
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

std::string header_of(std::string_view key_id, std::string_view hash, const std::string& owner) {
    std::string header;
    for (const std::string_view field : {version, algorithm, key_id, hash}) {
        add_field(header, field);
    }
    return header + owner;
}

derived_key message_key(key_view key, std::string_view key_id, const std::string& owner) {
    std::string info;
    add_field(info, key_id);
    return derived_key{key, "libqueue sealed 1", info + owner};
}

void update(EVP_CIPHER_CTX* with,
            int (*step)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int),
            std::string_view from, unsigned char* into) {
    while (!from.empty()) {
        const std::string_view part = from.substr(0, chunk_bytes);
        int written = 0;
        demand(step(with, into, &written, bytes_of(part), static_cast<int>(part.size())) == 1,
               "AES-GCM");
        into = into == nullptr ? nullptr : into + written;
        from.remove_prefix(part.size());
    }
}

/// White space between tokens left out; `json` is known to be JSON.
std::string without_space(std::string_view json) {
    std::string dense;
    dense.reserve(json.size());
    bool quoted = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (quoted && c == '\\' && i + 1 < json.size()) {
            dense += c;
            dense += json[++i];
            continue;
        }
        quoted = c == '"' ? !quoted : quoted;
        if (quoted || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) {
            dense += c;
        }
    }
    return dense;
}

}  // namespace

void derive_key(key_view key, std::string_view salt, std::string_view info,
                std::span<unsigned char, key_bytes> into) {
    std::array<unsigned char, digest_bytes> extracted{};
    hmac({bytes_of(salt), salt.size()}, {reinterpret_cast<const char*>(key.data()), key.size()},
         extracted.data());
    hmac(extracted, std::string{info} + '\x01', into.data());
    OPENSSL_cleanse(extracted.data(), extracted.size());
}

std::string to_base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int written =
        EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(written));
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0 || text.empty() || text.size() > INT_MAX) {
        return std::nullopt;
    }
    std::string bytes(text.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(bytes_of(bytes), bytes_of(text), static_cast<int>(text.size())) < 0) {
        return std::nullopt;
    }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    bytes.resize(bytes.size() - padding);
    // OpenSSL forgives white space and left-over bits; two texts must not stand for the same bytes.
    if (to_base64(bytes) != text) {
        return std::nullopt;
    }
    return bytes;
}

std::string owner_text(const seal_owner& owner) {
    std::string text;
    add_field(text, name_of(owner.part));
    add_field(text, owner.tenant_id ? lower(*owner.tenant_id) : std::string{});
    add_field(text, std::to_string(owner.id));
    add_field(text, owner.kind);
    return text;
}

std::optional<envelope> parse_envelope(std::string_view json) {
    boost::system::error_code fault;
    const boost::json::value parsed = boost::json::parse({json.data(), json.size()}, fault);
    if (fault || !parsed.is_object()) {
        return std::nullopt;
    }
    const boost::json::object& all = parsed.get_object();
    const auto text = [&all](std::string_view name) -> std::string_view {
        const auto* found = all.if_contains({name.data(), name.size()});
        return found != nullptr && found->is_string()
                   ? std::string_view{found->get_string().data(), found->get_string().size()}
                   : std::string_view{};
    };
    const auto* form = all.if_contains("libqueue.sealed");
    const std::size_t members = all.contains("hash") ? 6 : 5;
    if (form == nullptr || !form->is_int64() || form->get_int64() != 1 || all.size() != members ||
        text("alg") != algorithm || (members == 6 && text("hash").empty())) {
        return std::nullopt;
    }
    const auto nonce = from_base64(text("nonce"));
    auto data = from_base64(text("data"));
    if (!nonce || nonce->size() != nonce_bytes || !data || data->size() < tag_bytes) {
        return std::nullopt;
    }
    envelope made;
    made.key_id = text("kid");
    made.hash = text("hash");
    made.nonce = *nonce;
    made.sealed = std::move(*data);
    return made;
}

std::string seal(key_view key, std::string_view key_id, std::string_view hash,
                 const seal_owner& owner, std::string_view plain) {
    const std::string whom = owner_text(owner);
    const std::string header = header_of(key_id, hash, whom);
    const derived_key with = message_key(key, key_id, whom);
    std::string nonce(nonce_bytes, '\0');
    demand(RAND_bytes(bytes_of(nonce), static_cast<int>(nonce.size())) == 1, "RAND_bytes");
    const cipher_context cipher{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    demand(cipher != nullptr && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                                   with.data(), bytes_of(nonce)) == 1,
           "AES-GCM");
    update(cipher.get(), &EVP_EncryptUpdate, header, nullptr);
    std::string sealed(plain.size() + tag_bytes, '\0');
    update(cipher.get(), &EVP_EncryptUpdate, plain, bytes_of(sealed));
    unsigned char* const tag = bytes_of(sealed) + plain.size();
    int written = 0;
    demand(EVP_EncryptFinal_ex(cipher.get(), tag, &written) == 1 && written == 0 &&
               EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes),
                                   tag) == 1,
           "AES-GCM");
    // The order and the blanks of jsonb: shorter names first.
    std::string json{sealed_prefix};
    json.append(key_id).append(R"(", "data": ")").append(to_base64(sealed)).append("\", ");
    if (!hash.empty()) {
        json.append(R"("hash": ")").append(hash).append("\", ");
    }
    json.append(R"("nonce": ")").append(to_base64(nonce)).append(sealed_suffix);
    return json;
}

std::optional<std::string> open(key_view key, const envelope& from, const seal_owner& owner) {
    const std::string whom = owner_text(owner);
    const std::string header = header_of(from.key_id, from.hash, whom);
    const derived_key with = message_key(key, from.key_id, whom);
    const cipher_context cipher{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    demand(cipher != nullptr && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                                   with.data(), bytes_of(from.nonce)) == 1,
           "AES-GCM");
    update(cipher.get(), &EVP_DecryptUpdate, header, nullptr);
    const std::string_view body =
        std::string_view{from.sealed}.substr(0, from.sealed.size() - tag_bytes);
    std::string plain(body.size(), '\0');
    update(cipher.get(), &EVP_DecryptUpdate, body, bytes_of(plain));
    std::string tag = from.sealed.substr(body.size());
    std::array<unsigned char, tag_bytes> rest{};
    int written = 0;
    demand(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes),
                               tag.data()) == 1,
           "AES-GCM");
    if (EVP_DecryptFinal_ex(cipher.get(), rest.data(), &written) != 1) {
        OPENSSL_cleanse(plain.data(), plain.size());
        return std::nullopt;
    }
    return plain;
}

std::string content_hash(key_view key, const seal_owner& owner, std::string_view json) {
    std::string info;
    add_field(info, owner.tenant_id ? lower(*owner.tenant_id) : std::string{});
    add_field(info, owner.kind);
    const derived_key with{key, "libqueue content hash 1", info};
    std::string digest(digest_bytes, '\0');
    hmac({with.data(), key_bytes}, without_space(json), bytes_of(digest));
    return to_base64(digest);
}

}  // namespace libqueue::core
