#include "auth/jwt.hpp"

#include "field_checks.hpp"
#include "qctl/json_members.hpp"

#include <boost/json/parse.hpp>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <jwt.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>

namespace workerd::api {

namespace {

namespace json = boost::json;

constexpr std::size_t token_max = 8 << 10;
constexpr std::size_t subject_max = 190;
constexpr std::size_t id_max = 128;
constexpr std::size_t rsa_bits_least = 2048;
// Years 1970 to 2286. time_of() takes nothing beyond, so that no sum of two such overflows.
constexpr std::int64_t time_max = 9'999'999'999;

class key_rule {
   public:
    std::string_view name;
    int type;           ///< EVP_PKEY_..., 0 for a shared secret
    std::size_t least;  ///< bytes of the secret, bits of the key
};

constexpr std::array key_rules{
    key_rule{"HS256", 0, 32},
    key_rule{"HS384", 0, 48},
    key_rule{"HS512", 0, 64},
    key_rule{"RS256", EVP_PKEY_RSA, rsa_bits_least},
    key_rule{"RS384", EVP_PKEY_RSA, rsa_bits_least},
    key_rule{"RS512", EVP_PKEY_RSA, rsa_bits_least},
    key_rule{"ES256", EVP_PKEY_EC, 256},
    key_rule{"ES384", EVP_PKEY_EC, 384},
    key_rule{"ES512", EVP_PKEY_EC, 521},
};

[[noreturn]] void refuse_key(const jwt_key& key, const std::string& why) {
    throw std::runtime_error{"http.auth.jwt.keys." + key.id + ": " + why};
}

void check_public_key(const jwt_key& key, const key_rule& rule) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> text{
        BIO_new_mem_buf(key.key.data(), static_cast<int>(key.key.size())), &BIO_free};
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> read{
        PEM_read_bio_PUBKEY(text.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
    if (!read)
        refuse_key(key, "expected a public key in PEM (BEGIN PUBLIC KEY), got something else");
    if (EVP_PKEY_get_base_id(read.get()) != rule.type)
        refuse_key(key, "expected a key for " + key.algorithm + ", got one of another kind");
    const auto bits = static_cast<std::size_t>(EVP_PKEY_get_bits(read.get()));
    const bool is_curve = rule.type == EVP_PKEY_EC;
    if (is_curve ? bits != rule.least : bits < rule.least)
        refuse_key(key,
                   "expected " + std::to_string(rule.least) + " bits, got " + std::to_string(bits));
}

void check_key(const jwt_key& key) {
    const auto rule = std::ranges::find(key_rules, key.algorithm, &key_rule::name);
    if (rule == key_rules.end())
        refuse_key(key, "no such algorithm: " + key.algorithm);
    if (rule->type != 0)
        return check_public_key(key, *rule);
    if (key.key.size() < rule->least)
        refuse_key(key, "expected a secret of " + std::to_string(rule->least) +
                            " bytes or more, got " + std::to_string(key.key.size()));
}

// base64url without padding, and only the one text a value has.
std::optional<std::string> unpacked(std::string_view text) {
    std::string out;
    unsigned held = 0;
    unsigned bits = 0;
    for (const char c : text) {
        unsigned value = 0;
        if (c >= 'A' && c <= 'Z')
            value = static_cast<unsigned>(c - 'A');
        else if (c >= 'a' && c <= 'z')
            value = static_cast<unsigned>(c - 'a') + 26;
        else if (c >= '0' && c <= '9')
            value = static_cast<unsigned>(c - '0') + 52;
        else if (c == '-' || c == '_')
            value = c == '-' ? 62 : 63;
        else
            return std::nullopt;
        held = ((held << 6U) | value) & 0xffffffU;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>((held >> bits) & 255U);
        }
    }
    const bool has_rest = bits >= 6 || (held & ((1U << bits) - 1)) != 0;
    if (has_rest || out.empty())
        return std::nullopt;
    return out;
}

// An object whose names come once, at its top: a name that comes twice means what its reader wants.
std::optional<json::object> object_of(std::string_view segment) {
    const auto text = unpacked(segment);
    if (!text || text->find('\0') != std::string::npos || !qctl::json_members(*text))
        return std::nullopt;
    boost::system::error_code error;
    json::parse_options strict;
    strict.max_depth = 8;
    auto value = json::parse(*text, error, {}, strict);
    if (error || !value.is_object())
        return std::nullopt;
    return std::move(value.get_object());
}

std::optional<std::string> text_of(const json::object& in, std::string_view name,
                                   std::size_t most) {
    const auto* value = in.if_contains(name);
    const auto* text = value != nullptr ? value->if_string() : nullptr;
    if (text == nullptr || text->empty() || text->size() > most)
        return std::nullopt;
    const bool clean = std::ranges::all_of(*text, [](char c) { return c > ' ' && c < '\x7f'; });
    return clean ? std::optional{std::string{text->data(), text->size()}} : std::nullopt;
}

std::optional<std::int64_t> time_of(const json::object& in, std::string_view name) {
    const auto* value = in.if_contains(name);
    const auto* seconds = value != nullptr ? value->if_int64() : nullptr;
    if (seconds == nullptr || *seconds < 0 || *seconds > time_max)
        return std::nullopt;
    return *seconds;
}

// A claim that is a text or a list of texts; nothing for anything else.
std::optional<std::vector<std::string>> texts_of(const json::object& in, std::string_view name) {
    const auto* value = in.if_contains(name);
    if (value == nullptr)
        return std::nullopt;
    std::vector<std::string> all;
    if (const auto* text = value->if_string()) {
        all.emplace_back(text->data(), text->size());
        return all;
    }
    const auto* list = value->if_array();
    if (list == nullptr)
        return std::nullopt;
    for (const auto& each : *list) {
        const auto* text = each.if_string();
        if (text == nullptr)
            return std::nullopt;
        all.emplace_back(text->data(), text->size());
    }
    return all;
}

bool share(const std::vector<std::string>& left, const std::vector<std::string>& right) {
    return std::ranges::any_of(left, [&](const std::string& each) {
        return std::ranges::find(right, each) != right.end();
    });
}

bool times_hold(const json::object& claims, const jwt_rules& rules, std::int64_t now) {
    const auto expires = time_of(claims, "exp");
    const auto begins = time_of(claims, "nbf");
    const auto made = time_of(claims, "iat");
    if (!expires || !begins || !made)
        return false;
    const std::int64_t leeway = rules.leeway.count();
    const bool is_now = now < *expires + leeway && *begins <= now + leeway && *made <= now + leeway;
    const bool is_span = *expires > *made && *expires > *begins;
    return is_now && is_span && *expires - *made <= rules.most_life.count();
}

std::optional<libqueue::role> role_of(const json::object& claims, const jwt_rules& rules) {
    const auto given = texts_of(claims, rules.role_claim);
    if (!given)
        return std::nullopt;
    if (share(*given, rules.admin_roles))
        return libqueue::role::admin;
    if (share(*given, rules.operator_roles))
        return libqueue::role::operate;
    if (share(*given, rules.viewer_roles))
        return libqueue::role::viewer;
    return std::nullopt;
}

bool is_signed(const std::string& token, const jwt_key& key) {
    jwt_t* opened = nullptr;
    const int failed =
        jwt_decode(&opened, token.c_str(), reinterpret_cast<const unsigned char*>(key.key.data()),
                   static_cast<int>(key.key.size()));
    const std::unique_ptr<jwt_t, decltype(&jwt_free)> held{opened, &jwt_free};
    return failed == 0 && opened != nullptr &&
           jwt_get_alg(opened) == jwt_str_alg(key.algorithm.c_str());
}

}  // namespace

jwt_verifier::jwt_verifier(jwt_rules rules) : rules_{std::move(rules)} {
    for (auto& key : rules_.keys) {
        check_key(key);
        keys_.emplace(key.id, key);
    }
    rules_.keys.clear();
}

std::optional<caller> jwt_verifier::verify(std::string_view token, libqueue::time_point now) const {
    if (token.size() > token_max || std::ranges::count(token, '.') != 2)
        return std::nullopt;
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    const auto header = object_of(token.substr(0, first));
    if (!header || header->contains("crit") || !unpacked(token.substr(last + 1)))
        return std::nullopt;
    const auto id = text_of(*header, "kid", id_max);
    const auto algorithm = text_of(*header, "alg", 8);
    const auto key = id ? keys_.find(*id) : keys_.end();
    if (key == keys_.end() || algorithm != key->second.algorithm)
        return std::nullopt;
    if (!is_signed(std::string{token}, key->second))
        return std::nullopt;
    const auto claims = object_of(token.substr(first + 1, last - first - 1));
    if (!claims)
        return std::nullopt;
    const auto since_epoch =
        std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    const auto audience = texts_of(*claims, "aud");
    const auto subject = text_of(*claims, "sub", subject_max);
    const auto token_id = text_of(*claims, "jti", id_max);
    const auto role = role_of(*claims, rules_);
    const bool has_tenant = claims->contains(rules_.tenant_claim);
    const auto tenant = text_of(*claims, rules_.tenant_claim, 36);
    const bool fits = text_of(*claims, "iss", 512) == rules_.issuer && audience &&
                      std::ranges::find(*audience, rules_.audience) != audience->end() &&
                      times_hold(*claims, rules_, since_epoch) && subject && token_id && role;
    if (!fits || (has_tenant ? !tenant || !is_uuid(*tenant) : rules_.tenant_required))
        return std::nullopt;
    caller found;
    found.who = libqueue::principal{"user:" + *subject, *role, tenant};
    found.expires = libqueue::time_point{std::chrono::seconds{*time_of(*claims, "exp")}};
    found.token_id = *token_id;
    found.is_user = true;
    return found;
}

}  // namespace workerd::api
