#include "processors/email/encoded_text.hpp"

#include "processors/support/crypto.hpp"
#include "processors/support/text_rules.hpp"

#include <algorithm>

namespace libqueue::processors::email {

namespace {

constexpr std::size_t soft_line = 78;
constexpr std::size_t quoted_line = 76;
/// 75 less `=?UTF-8?B?` and `?=` leaves 63 base64 digits, which is 45 bytes in whole groups.
constexpr std::size_t word_bytes = 45;

bool is_continuation(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

bool is_printable(char c) noexcept {
    return c >= ' ' && c <= '~';
}

std::string quoted_byte(char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return {'=', digits[byte >> 4U], digits[byte & 15U]};
}

}  // namespace

std::string encoded_words(std::string_view text) {
    const bool plain = std::all_of(text.begin(), text.end(), is_printable) &&
                       text.find("=?") == std::string_view::npos &&
                       std::all_of(text.begin(), text.end(), [run = 0](char c) mutable {
                           // A word too long to fold would make the line too long to send.
                           run = c == ' ' ? 0 : run + 1;
                           return run <= 200;
                       });
    if (plain) {
        return std::string{text};
    }
    std::string out;
    while (!text.empty()) {
        auto size = std::min(word_bytes, text.size());
        while (size < text.size() && size > word_bytes - 4 && is_continuation(text[size])) {
            --size;
        }
        if (!out.empty()) {
            out += ' ';
        }
        out += "=?UTF-8?B?" + base64_encode(text.substr(0, size)) + "?=";
        text.remove_prefix(size);
    }
    return out;
}

std::string encoded_phrase(std::string_view text) {
    const bool atoms = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == ' ' || c == '-' || c == '_';
    });
    if (atoms) {
        return std::string{text};
    }
    if (!is_ascii(text) || text.find("=?") != std::string_view::npos) {
        return encoded_words(text);
    }
    std::string out{'"'};
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out += '"';
}

std::string header_line(std::string_view name, std::string_view value) {
    std::string out{name};
    out += ':';
    std::size_t column = out.size();
    while (!value.empty()) {
        // A word takes the blanks before it along, so that unfolding gives the value back.
        const auto start = std::min(value.find_first_not_of(' '), value.size());
        const auto end = std::min(value.find(' ', start), value.size());
        const auto word = value.substr(0, end);
        const bool first = column == name.size() + 1;
        const std::size_t blank = first && !word.starts_with(' ') ? 1 : 0;
        if (!first && word.starts_with(' ') && start < end && column + word.size() > soft_line) {
            out += "\r\n";
            column = 0;
        }
        out.append(blank, ' ');
        out += word;
        column += blank + word.size();
        value.remove_prefix(end);
    }
    return out += "\r\n";
}

std::string with_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 32 + 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' || text[i] == '\n') {
            if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
                ++i;
            }
            out += "\r\n";
        } else {
            out += text[i];
        }
    }
    if (!out.ends_with("\r\n")) {
        out += "\r\n";
    }
    return out;
}

bool is_plain_body(std::string_view crlf_text) {
    std::size_t column = 0;
    for (std::size_t i = 0; i < crlf_text.size(); ++i) {
        if (crlf_text.substr(i, 2) == "\r\n") {
            column = 0;
            ++i;
            continue;
        }
        if ((!is_printable(crlf_text[i]) && crlf_text[i] != '\t') || ++column > soft_line) {
            return false;
        }
    }
    return true;
}

std::string quoted_printable(std::string_view crlf_text) {
    std::string out;
    out.reserve(crlf_text.size() + crlf_text.size() / 4);
    std::size_t column = 0;
    for (std::size_t i = 0; i < crlf_text.size(); ++i) {
        if (crlf_text.substr(i, 2) == "\r\n") {
            out += "\r\n";
            column = 0;
            ++i;
            continue;
        }
        const char c = crlf_text[i];
        // Blanks at the end of a line get lost on the way.
        const bool last = crlf_text.substr(i + 1, 2) == "\r\n";
        const bool plain =
            (is_printable(c) && c != '=' && !(last && c == ' ')) || (c == '\t' && !last);
        const auto piece = plain ? std::string{c} : quoted_byte(c);
        if (column + piece.size() > quoted_line - 1) {
            out += "=\r\n";
            column = 0;
        }
        out += piece;
        column += piece.size();
    }
    return out;
}

}  // namespace libqueue::processors::email
