#include "processors/email/address_list.hpp"

#include "processors/support/text_rules.hpp"

#include <algorithm>
#include <cstdint>

namespace libqueue::processors::email {

namespace {

constexpr std::size_t longest_local = 64;
constexpr std::size_t longest_domain = 253;
constexpr std::size_t longest_label = 63;
constexpr std::size_t longest_name = 256;

bool is_letter_or_digit(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Well-formed UTF-8 without the C1 controls, overlong forms and surrogates.
bool is_utf8(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || text.size() - i < size) {
            return false;
        }
        std::uint32_t code = size == 1 ? lead : lead & (0xFFU >> (size + 1));
        for (std::size_t k = 1; k < size; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xC0U) != 0x80U) {
                return false;
            }
            code = (code << 6U) | (next & 0x3FU);
        }
        const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
        const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        if (overlong || surrogate || code > 0x10FFFF || (code >= 0x80 && code < 0xA1)) {
            return false;
        }
        i += size;
    }
    return true;
}

/// RFC 6531: an atom may hold any UTF-8 beside the ASCII of old. The server must offer SMTPUTF8.
bool is_atom(std::string_view text) noexcept {
    return !text.empty() && is_utf8(text) && std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter_or_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
               std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
    });
}

bool is_label(std::string_view text) noexcept {
    return !text.empty() && text.size() <= longest_label && text.front() != '-' &&
           text.back() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) || c == '-';
           });
}

template <typename Check>
bool every_part(std::string_view text, const Check& check) noexcept {
    while (true) {
        const auto dot = text.find('.');
        if (!check(text.substr(0, dot))) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
}

bool is_address(std::string_view text) noexcept {
    const auto at = text.find('@');
    if (at == std::string_view::npos) {
        return false;
    }
    const auto local = text.substr(0, at);
    const auto domain = text.substr(at + 1);
    return local.size() <= longest_local && domain.size() <= longest_domain &&
           every_part(local, is_atom) && every_part(domain, is_label);
}

}  // namespace

std::optional<mailbox> mailbox::parse(std::string_view text) {
    text = trimmed(text);
    std::string_view name;
    auto address = text;
    if (text.ends_with('>')) {
        const auto open = text.rfind('<');
        if (open == std::string_view::npos) {
            return std::nullopt;
        }
        name = trimmed(text.substr(0, open));
        address = text.substr(open + 1, text.size() - open - 2);
        if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
            name = name.substr(1, name.size() - 2);
        }
    }
    const bool name_fits = name.size() <= longest_name && !has_control_characters(name) &&
                           name.find_first_of("<>\"\\") == std::string_view::npos;
    if (!name_fits || !is_address(address)) {
        return std::nullopt;
    }
    return mailbox{name, address};
}

}  // namespace libqueue::processors::email
