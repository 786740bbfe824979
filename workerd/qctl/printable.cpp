#include "printable.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace qctl {

namespace {

class code_point {
   public:
    char32_t value{0};
    std::size_t length{1};
    bool valid{false};
};

bool is_continuation(unsigned char byte) noexcept {
    return (byte & 0xc0U) == 0x80U;
}

// Smallest value that needs this many bytes; anything below is an overlong form.
constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};

code_point decode(std::string_view text) noexcept {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) {
        return {.value = first, .length = 1, .valid = true};
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) {
        return {};
    }
    char32_t value = first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if (!is_continuation(next)) {
            return {};
        }
        value = (value << 6U) | (next & 0x3fU);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return {};
    }
    return {.value = value, .length = length, .valid = true};
}

// Bidirectional controls can make one text look like another.
bool reorders(char32_t value) noexcept {
    return value == 0x200e || value == 0x200f || value == 0x061c ||
           (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
}

bool is_control(char32_t value) noexcept {
    return value < 0x20 || (value >= 0x7f && value <= 0x9f);
}

std::string hex(std::uint32_t value, int digits) {
    constexpr std::string_view alphabet = "0123456789abcdef";
    std::string out;
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
        out += alphabet[(value >> static_cast<unsigned>(shift)) & 15U];
    }
    return out;
}

std::string escaped(std::string_view text, std::string_view kept) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto point = decode(text);
        if (!point.valid) {
            out += "\\x" + hex(static_cast<unsigned char>(text[0]), 2);
        } else if (point.value < 0x80 &&
                   kept.find(static_cast<char>(point.value)) != std::string_view::npos) {
            out += static_cast<char>(point.value);
        } else if (point.value == '\n') {
            out += "\\n";
        } else if (point.value == '\t') {
            out += "\\t";
        } else if (point.value == '\r') {
            out += "\\r";
        } else if (is_control(point.value) && point.value < 0x80) {
            out += "\\x" + hex(point.value, 2);
        } else if (is_control(point.value) || reorders(point.value)) {
            out += "\\u" + hex(point.value, 4);
        } else {
            out += text.substr(0, point.length);
        }
        text.remove_prefix(point.length);
    }
    return out;
}

class range {
   public:
    char32_t first;
    char32_t last;
};

constexpr std::array wide_ranges{
    range{0x1100, 0x115f},   range{0x2e80, 0x303e},   range{0x3041, 0xa4cf},
    range{0xac00, 0xd7a3},   range{0xf900, 0xfaff},   range{0xfe30, 0xfe6f},
    range{0xff00, 0xff60},   range{0xffe0, 0xffe6},   range{0x1f300, 0x1f64f},
    range{0x1f680, 0x1f6ff}, range{0x1f900, 0x1f9ff}, range{0x20000, 0x3fffd},
};
constexpr std::array empty_ranges{
    range{0x0300, 0x036f},
    range{0x200b, 0x200d},
    range{0x20d0, 0x20ff},
    range{0xfe00, 0xfe0f},
};

bool within(const auto& ranges, char32_t value) noexcept {
    return std::ranges::any_of(ranges,
                               [&](const range& r) { return value >= r.first && value <= r.last; });
}

std::size_t width_of(char32_t value) noexcept {
    if (within(empty_ranges, value)) {
        return 0;
    }
    return within(wide_ranges, value) ? 2 : 1;
}

}  // namespace

std::optional<std::size_t> invalid_utf8_at(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const auto point = decode(text.substr(at));
        if (!point.valid) {
            return at;
        }
        at += point.length;
    }
    return std::nullopt;
}

std::string printable(std::string_view text) {
    return escaped(text, "");
}

std::string printable_lines(std::string_view text) {
    return escaped(text, "\n\t\r");
}

std::string json_quoted(std::string_view text) {
    std::string out{"\""};
    while (!text.empty()) {
        const auto point = decode(text);
        if (!point.valid) {
            out += "\xef\xbf\xbd";
        } else if (point.value == '"' || point.value == '\\') {
            out += '\\';
            out += text[0];
        } else if (point.value == '\n') {
            out += "\\n";
        } else if (point.value == '\t') {
            out += "\\t";
        } else if (is_control(point.value) || reorders(point.value)) {
            out += "\\u" + hex(point.value, 4);
        } else {
            out += text.substr(0, point.length);
        }
        text.remove_prefix(point.length);
    }
    return out + '"';
}

std::string json_printable(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    while (!json.empty()) {
        const auto point = decode(json);
        // Line breaks between the values are the one control character JSON has outside strings.
        const bool layout = point.value == '\n' || point.value == '\t' || point.value == '\r';
        if (!point.valid) {
            out += "\xef\xbf\xbd";
        } else if (!layout && (is_control(point.value) || reorders(point.value))) {
            out += "\\u" + hex(point.value, 4);
        } else {
            out += json.substr(0, point.length);
        }
        json.remove_prefix(point.length);
    }
    return out;
}

std::size_t display_width(std::string_view text) noexcept {
    std::size_t width = 0;
    while (!text.empty()) {
        const auto point = decode(text);
        width += point.valid ? width_of(point.value) : 1;
        text.remove_prefix(point.length);
    }
    return width;
}

std::string fitted(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) {
        return std::string{text};
    }
    if (width == 0) {
        return {};
    }
    std::size_t used = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto point = decode(text.substr(at));
        const auto next = point.valid ? width_of(point.value) : 1;
        if (used + next > width - 1) {
            break;
        }
        used += next;
        at += point.length;
    }
    return std::string{text.substr(0, at)} + "…";
}

}  // namespace qctl
