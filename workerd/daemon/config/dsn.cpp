#include "config/dsn.hpp"

#include <cctype>

namespace workerd {

namespace {

bool is_word(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

// Finds `key =` as libpq's keyword form spells it. A hit inside a quoted value is a false alarm we
// accept: it refuses a strange string instead of letting a password through.
bool has_keyword(std::string_view dsn, std::string_view key) {
    for (auto at = dsn.find(key); at != std::string_view::npos; at = dsn.find(key, at + 1)) {
        if (at > 0 && is_word(dsn[at - 1]))
            continue;
        auto rest = dsn.substr(at + key.size());
        while (!rest.empty() && rest.front() == ' ')
            rest.remove_prefix(1);
        if (rest.starts_with('='))
            return true;
    }
    return false;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char letter : text) {
        if (is_word(letter) || letter == '-' || letter == '.') {
            out += letter;
            continue;
        }
        const auto code = static_cast<unsigned char>(letter);
        out += '%';
        out += digits[code >> 4U];
        out += digits[code & 15U];
    }
    return out;
}

}  // namespace

bool is_dsn_uri(std::string_view dsn) noexcept {
    return dsn.starts_with("postgresql://") || dsn.starts_with("postgres://");
}

bool has_inline_password(std::string_view dsn) {
    if (has_keyword(dsn, "password") || has_keyword(dsn, "sslpassword"))
        return true;
    if (!is_dsn_uri(dsn))
        return false;
    const auto authority_start = dsn.find("//") + 2;
    const auto authority = dsn.substr(authority_start);
    const auto user_end = authority.substr(0, authority.find_first_of("/?#")).rfind('@');
    // A password may itself hold an unescaped slash, so look for the @ of the whole string as well.
    const auto any_at = authority.rfind('@');
    const auto end = user_end == std::string_view::npos ? any_at : user_end;
    return end != std::string_view::npos &&
           authority.substr(0, end).find(':') != std::string_view::npos;
}

bool looks_like_dsn(std::string_view dsn) noexcept {
    return is_dsn_uri(dsn) || dsn.find('=') != std::string_view::npos;
}

std::string with_parameter(std::string_view dsn, std::string_view key, std::string_view value) {
    if (has_keyword(dsn, key))
        return std::string{dsn};
    std::string out{dsn};
    if (is_dsn_uri(dsn)) {
        out += dsn.find('?') == std::string_view::npos ? '?' : '&';
        out += std::string{key} + "=" + percent_encoded(value);
        return out;
    }
    out += out.empty() ? "" : " ";
    out += std::string{key} + "='" + std::string{value} + "'";
    return out;
}

}  // namespace workerd
