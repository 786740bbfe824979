#include "logging/redactor.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace workerd {

namespace {

// Parts of keys, in lower case without separators. Short ones must be the whole key or its last
// word: "ssn" is a part of "className".
constexpr std::array<std::string_view, 12> masked_parts{
    "password",   "passwd",     "authorization", "token",       "apikey", "secret",
    "creditcard", "cardnumber", "accountnumber", "dateofbirth", "amount", "phone"};
constexpr std::array<std::string_view, 5> masked_words{"ssn", "cvv", "pan", "iban", "dsn"};

// What makes `key=value` and `"key": "value"` inside a text a secret.
constexpr std::array<std::string_view, 8> text_keys{"password", "passwd",  "secret",  "token",
                                                    "apikey",   "api_key", "api-key", "cvv"};
constexpr std::array<std::string_view, 5> key_prefixes{"whsec_", "sk_live_", "sk_test_", "rk_live_",
                                                       "eyJ"};

// Bounds the search for the @ of a URL, which would otherwise be quadratic in a hostile text.
constexpr std::size_t authority_bytes_max = 1024;

char lower(char letter) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
}

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

bool is_alnum(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0;
}

bool is_local_part(char letter) {
    return is_alnum(letter) || letter == '.' || letter == '_' || letter == '%' || letter == '+' ||
           letter == '-';
}

bool is_token_part(char letter) {
    return is_alnum(letter) || letter == '-' || letter == '.' || letter == '_' || letter == '~' ||
           letter == '+' || letter == '/' || letter == '=';
}

std::string squeezed(std::string_view key) {
    std::string out;
    for (const char letter : key) {
        if (is_alnum(letter))
            out += lower(letter);
    }
    return out;
}

// "userSsn", "user_ssn" and "ssn" end in the word "ssn"; "classn" does not.
bool ends_in_word(std::string_view key, std::string_view word) {
    if (key.size() < word.size())
        return false;
    const auto start = key.size() - word.size();
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (lower(key[start + i]) != word[i])
            return false;
    }
    const bool is_upper = key[start] >= 'A' && key[start] <= 'Z';
    return start == 0 || !is_alnum(key[start - 1]) || is_upper;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view word) {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(),
                      [](char left, char right) { return left == lower(right); });
}

bool passes_luhn(std::string_view digits) {
    int sum = 0;
    bool is_double = false;
    for (auto at = digits.rbegin(); at != digits.rend(); ++at) {
        int value = *at - '0';
        if (is_double)
            value = value > 4 ? value * 2 - 9 : value * 2;
        sum += value;
        is_double = !is_double;
    }
    return sum % 10 == 0;
}

// Each matcher looks at one place of the text. It returns how many bytes it replaces there, 0 for
// none, and appends what stands instead.

constexpr std::size_t authority_max{2'048};

std::size_t mask_url_password(std::string_view rest, std::string& out) {
    if (!rest.starts_with("://"))
        return 0;
    // Without a bound a text of nothing but these would be read again from each of them.
    const auto near = rest.substr(0, authority_max);
    const auto end = std::min(near.find_first_of(" \t\r\n\"'<>", 3), near.size());
    const auto authority = near.substr(0, end);
    const auto at = authority.rfind('@');
    const auto colon = authority.find(':', 3);
    if (at == std::string_view::npos || colon == std::string_view::npos || colon > at)
        return 0;
    // "http://host:80/path?to=a@b" has its colon before the @, too; there the slash comes first.
    if (authority.substr(3, colon - 3).find('/') != std::string_view::npos)
        return 0;
    out += authority.substr(0, colon + 1);
    out += redactor::mask;
    out += '@';
    return at + 1;
}

std::size_t mask_scheme_token(std::string_view rest, std::string& out) {
    for (const std::string_view scheme : {"bearer ", "basic "}) {
        if (!starts_with_ignoring_case(rest, scheme))
            continue;
        auto end = scheme.size();
        while (end < rest.size() && is_token_part(rest[end]))
            ++end;
        if (end - scheme.size() < 6)
            return 0;
        out += rest.substr(0, scheme.size());
        out += redactor::mask;
        return end;
    }
    return 0;
}

std::size_t mask_key_prefix(std::string_view rest, std::string& out) {
    for (const auto prefix : key_prefixes) {
        if (!rest.starts_with(prefix))
            continue;
        auto end = prefix.size();
        while (end < rest.size() && is_token_part(rest[end]))
            ++end;
        if (end - prefix.size() < 8)
            return 0;
        out += prefix;
        out += redactor::mask;
        return end;
    }
    return 0;
}

std::size_t mask_key_value(std::string_view rest, std::string& out) {
    for (const auto key : text_keys) {
        if (!starts_with_ignoring_case(rest, key))
            continue;
        auto at = key.size();
        const auto skip = [&](std::string_view letters) {
            while (at < rest.size() && letters.find(rest[at]) != std::string_view::npos)
                ++at;
        };
        skip("\"' ");
        if (at >= rest.size() || (rest[at] != '=' && rest[at] != ':'))
            return 0;
        ++at;
        skip(" ");
        const bool is_quoted = at < rest.size() && (rest[at] == '"' || rest[at] == '\'');
        const char quote = is_quoted ? rest[at] : '\0';
        at += is_quoted ? 1 : 0;
        auto end = at;
        while (end < rest.size()) {
            const bool stops = is_quoted ? rest[end] == quote
                                         : std::string_view{" \t\r\n,;&}"}.find(rest[end]) !=
                                               std::string_view::npos;
            if (stops)
                break;
            end += is_quoted && rest[end] == '\\' && end + 1 < rest.size() ? 2 : 1;
        }
        if (end == at)
            return 0;
        out += rest.substr(0, at);
        out += redactor::mask;
        return end;
    }
    return 0;
}

std::size_t mask_card(std::string_view rest, std::string& out) {
    if (rest.front() < '2' || rest.front() > '6')
        return 0;
    std::string digits;
    std::size_t end = 0;
    for (std::size_t at = 0; at < rest.size() && digits.size() < 20; ++at) {
        if (is_digit(rest[at])) {
            digits += rest[at];
            end = at + 1;
        } else if ((rest[at] != ' ' && rest[at] != '-') || end != at) {
            break;
        }
    }
    if (digits.size() < 13 || digits.size() > 19 || !passes_luhn(digits))
        return 0;
    out += redactor::mask;
    out += digits.substr(digits.size() - 4);
    return end;
}

std::size_t mask_email(std::string_view rest, std::string& out) {
    std::size_t at = 0;
    while (at < rest.size() && is_local_part(rest[at]))
        ++at;
    if (at == 0 || at >= rest.size() || rest[at] != '@')
        return 0;
    auto end = at + 1;
    while (end < rest.size() && (is_alnum(rest[end]) || rest[end] == '.' || rest[end] == '-'))
        ++end;
    const auto domain = rest.substr(at + 1, end - at - 1);
    if (domain.find('.') == std::string_view::npos)
        return 0;
    out += redactor::email(rest.substr(0, end));
    return end;
}

}  // namespace

redactor::redactor(std::span<const std::string> extra) {
    for (const auto& key : extra)
        extra_.push_back(squeezed(key));
}

redactor::treatment redactor::of_key(std::string_view key) const {
    const auto plain = squeezed(key);
    const auto is_in = [&](std::string_view part) {
        return plain.find(part) != std::string::npos;
    };
    if (std::any_of(masked_parts.begin(), masked_parts.end(), is_in))
        return treatment::mask;
    const auto ends = [&](std::string_view word) {
        return ends_in_word(key, word);
    };
    if (std::any_of(masked_words.begin(), masked_words.end(), ends))
        return treatment::mask;
    if (std::find(extra_.begin(), extra_.end(), plain) != extra_.end())
        return treatment::mask;
    return is_in("email") ? treatment::mask_email : treatment::show;
}

std::string redactor::email(std::string_view text) {
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || at == 0)
        return std::string{mask};
    // Cutting a multi-byte letter in half would make the line invalid text.
    const bool is_ascii = static_cast<unsigned char>(text.front()) < 0x80;
    std::string out;
    if (is_ascii)
        out += text.front();
    out += mask;
    out += text.substr(at);
    return out;
}

std::string redactor::in_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        const auto rest = text.substr(at);
        const bool starts_word = at == 0 || !is_alnum(text[at - 1]);
        const bool is_userinfo = at > 0 && text[at - 1] == '/';
        std::size_t taken = 0;
        if (rest.front() == ':')
            taken = mask_url_password(rest, out);
        else if (is_digit(rest.front()) && starts_word)
            taken = mask_card(rest, out);
        if (taken == 0 && starts_word)
            taken = mask_scheme_token(rest, out);
        if (taken == 0 && starts_word)
            taken = mask_key_prefix(rest, out);
        if (taken == 0 && std::isalpha(static_cast<unsigned char>(rest.front())) != 0)
            taken = mask_key_value(rest, out);
        const bool starts_local = at == 0 || !is_local_part(text[at - 1]);
        if (taken == 0 && starts_local && !is_userinfo)
            taken = mask_email(rest, out);
        if (taken == 0) {
            out += rest.front();
            taken = 1;
        }
        at += taken;
    }
    return out;
}

}  // namespace workerd
