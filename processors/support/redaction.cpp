#include "processors/support/redaction.hpp"

#include "processors/support/text_rules.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace libqueue::processors {

namespace {

namespace json = boost::json;

constexpr std::size_t longest = 500;
constexpr int deepest = 16;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_word(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool has_right_check_digit(std::string_view digits) noexcept {
    int sum = 0;
    bool twice = false;
    for (auto i = digits.rbegin(); i != digits.rend(); ++i) {
        const int value = (*i - '0') * (twice ? 2 : 1);
        sum += value > 9 ? value - 9 : value;
        twice = !twice;
    }
    return sum % 10 == 0;
}

/// Bytes of the card number that begins here, grouped by blanks or hyphens or not; else 0.
std::size_t card_number_at(std::string_view text) {
    std::string digits;
    std::size_t used = 0;
    for (std::size_t i = 0; i < text.size() && digits.size() < 20; ++i) {
        if (is_digit(text[i])) {
            digits += text[i];
            used = i + 1;
        } else if ((text[i] != ' ' && text[i] != '-') || digits.empty()) {
            break;
        }
    }
    const bool fits = digits.size() >= 12 && digits.size() <= 19;
    return fits && has_right_check_digit(digits) ? used : 0;
}

/// Bytes of a prefix after which a secret stands; else 0.
std::size_t secret_prefix_at(std::string_view text) {
    constexpr std::array<std::string_view, 6> prefixes{"sk_",   "rk_",     "whsec_",
                                                       "whsk_", "bearer ", "basic "};
    const auto head = to_lower(text.substr(0, 8));
    for (const auto prefix : prefixes) {
        if (head.starts_with(prefix)) {
            return prefix.size();
        }
    }
    return 0;
}

std::size_t token_end(std::string_view text, std::size_t from) {
    const auto end = text.find_first_of(" \t\r\n\"',;)}]", from);
    return end == std::string_view::npos ? text.size() : end;
}

bool names_a_secret(std::string_view name) {
    constexpr std::array<std::string_view, 14> endings{
        "password",   "authorization", "token",         "apikey",      "secret",
        "email",      "phone",         "ssn",           "dateofbirth", "creditcard",
        "cardnumber", "cvv",           "accountnumber", "amount"};
    std::string plain;
    for (const char c : to_lower(name)) {
        if (c != '_' && c != '-') {
            plain += c;
        }
    }
    return plain.starts_with("amount") ||
           std::any_of(endings.begin(), endings.end(),
                       [&plain](std::string_view ending) { return plain.ends_with(ending); });
}

void redact(json::value& value, int depth) {
    if (depth > deepest) {
        value = "***";
    } else if (auto* const text = value.if_string()) {
        *text = redacted(*text);
    } else if (auto* const list = value.if_array()) {
        for (auto& one : *list) {
            redact(one, depth + 1);
        }
    } else if (auto* const members = value.if_object()) {
        for (auto& one : *members) {
            if (names_a_secret(one.key())) {
                one.value() = "***";
            } else {
                redact(one.value(), depth + 1);
            }
        }
    }
}

}  // namespace

std::string redacted(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() < longest;) {
        const bool starts = i == 0 || !is_word(text[i - 1]);
        const auto rest = text.substr(i);
        if (const auto prefix = starts ? secret_prefix_at(rest) : 0; prefix > 0) {
            out += rest.substr(0, prefix);
            out += "***";
            i = token_end(text, i + prefix);
        } else if (const auto card = starts && is_digit(text[i]) ? card_number_at(rest) : 0) {
            out += "***";
            i += card;
        } else {
            out += text[i++];
        }
    }
    return with_addresses_masked(out);
}

std::string redacted_json(std::string_view text) {
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    if (failed || !(value.is_object() || value.is_array())) {
        return redacted(text);
    }
    redact(value, 0);
    auto out = json::serialize(value);
    if (out.size() > 2 * longest) {
        out.resize(2 * longest);
        out += "...";
    }
    return out;
}

}  // namespace libqueue::processors
