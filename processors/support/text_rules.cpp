#include "processors/support/text_rules.hpp"

#include <algorithm>

namespace libqueue::processors {

namespace {

bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Ends an address in running text. Generous: masking too much is harmless.
bool ends_address(char c) noexcept {
    return std::string_view{" \t\r\n<>()[],;:\"'"}.find(c) != std::string_view::npos;
}

}  // namespace

bool has_control_characters(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alphanumeric(c) ||
               std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

bool is_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string to_lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return out;
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string with_addresses_masked(std::string_view text) {
    std::string out;
    std::size_t begin = 0;
    while (begin < text.size()) {
        std::size_t end = begin;
        while (end < text.size() && !ends_address(text[end])) {
            ++end;
        }
        const auto word = text.substr(begin, end - begin);
        const auto at = word.find('@');
        if (at == std::string_view::npos || at == 0) {
            out += word;
        } else {
            out += word.front();
            out += "***";
            out += word.substr(at);
        }
        if (end < text.size()) {
            out += text[end];
        }
        begin = end + 1;
    }
    return out;
}

}  // namespace libqueue::processors
