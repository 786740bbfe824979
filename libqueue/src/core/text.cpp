#include "core/text.hpp"

#include <algorithm>

namespace libqueue::core {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

unsigned char byte_at(std::string_view text, std::size_t i) noexcept {
    return static_cast<unsigned char>(text[i]);
}

// What a lead byte promises: the length and the range of the second byte, which is where overlong
// forms, surrogates and values above U+10FFFF show (Unicode Standard, table 3-7).
class lead {
   public:
    std::size_t length;
    unsigned char low{0x80};
    unsigned char high{0xBF};
};

lead classify(unsigned char c) noexcept {
    if (c >= 0xC2 && c <= 0xDF) {
        return {2};
    }
    if (c >= 0xE0 && c <= 0xEF) {
        return c == 0xE0 ? lead{3, 0xA0, 0xBF} : c == 0xED ? lead{3, 0x80, 0x9F} : lead{3};
    }
    if (c >= 0xF0 && c <= 0xF4) {
        return c == 0xF0 ? lead{4, 0x90, 0xBF} : c == 0xF4 ? lead{4, 0x80, 0x8F} : lead{4};
    }
    return {0};
}

std::string marker_for(std::size_t original_bytes) {
    return " [truncated, " + std::to_string(original_bytes) + " bytes]";
}

// The longest prefix of valid UTF-8 `text` that has at most `max_bytes` and ends between two code
// points.
std::size_t boundary_before(std::string_view text, std::size_t max_bytes) noexcept {
    std::size_t end = std::min(max_bytes, text.size());
    while (end > 0 && end < text.size() && (byte_at(text, end) & 0xC0) == 0x80) {
        --end;
    }
    return end;
}

// One code point of storable text as it stands inside a JSON string literal.
void append_escaped(std::string& out, std::string_view code_point) {
    constexpr std::string_view hex = "0123456789abcdef";
    const unsigned char c = byte_at(code_point, 0);
    if (c == '"' || c == '\\') {
        out += '\\';
        out += code_point;
    } else if (c == '\n') {
        out += "\\n";
    } else if (c == '\t') {
        out += "\\t";
    } else if (c == '\r') {
        out += "\\r";
    } else if (c < 0x20) {
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 0x0F];
    } else {
        out += code_point;
    }
}

}  // namespace

utf8_step next_code_point(std::string_view text) noexcept {
    if (text.empty()) {
        return {0, false};
    }
    const unsigned char first = byte_at(text, 0);
    if (first < 0x80) {
        return {1, true};
    }
    const lead promised = classify(first);
    if (promised.length == 0) {
        return {1, false};
    }
    for (std::size_t i = 1; i < promised.length; ++i) {
        const unsigned char low = i == 1 ? promised.low : 0x80;
        const unsigned char high = i == 1 ? promised.high : 0xBF;
        if (i >= text.size() || byte_at(text, i) < low || byte_at(text, i) > high) {
            return {i, false};
        }
    }
    return {promised.length, true};
}

bool is_storable_text(std::string_view text) noexcept {
    while (!text.empty()) {
        const utf8_step step = next_code_point(text);
        if (!step.valid || text.front() == '\0') {
            return false;
        }
        text.remove_prefix(step.length);
    }
    return true;
}

std::string storable_text(std::string_view bytes, std::size_t max_bytes) {
    std::string out;
    out.reserve(std::min(bytes.size(), max_bytes));
    std::string_view rest = bytes;
    // One replacement may run past the bound; the cut below puts that right.
    while (!rest.empty() && out.size() <= max_bytes) {
        const utf8_step step = next_code_point(rest);
        out += step.valid && rest.front() != '\0' ? rest.substr(0, step.length) : replacement;
        rest.remove_prefix(step.length);
    }
    if (rest.empty() && out.size() <= max_bytes) {
        return out;
    }
    const std::string marker = marker_for(bytes.size());
    if (marker.size() > max_bytes) {
        out.resize(boundary_before(out, max_bytes));
        return out;
    }
    out.resize(boundary_before(out, max_bytes - marker.size()));
    return out += marker;
}

std::string json_string(std::string_view text, std::size_t max_bytes) {
    constexpr std::size_t quotes = 2;
    const std::size_t room = std::max(max_bytes, quotes) - quotes;
    const std::string marker = marker_for(text.size());
    const bool marked = marker.size() <= room;
    const std::size_t room_before_marker = marked ? room - marker.size() : room;
    std::string out = "\"";
    std::size_t keep = 0;  // end of the part that leaves room for the marker
    std::string_view rest = text;
    while (!rest.empty()) {
        const utf8_step step = next_code_point(rest);
        const bool good = step.valid && rest.front() != '\0';
        append_escaped(out, good ? rest.substr(0, step.length) : replacement);
        rest.remove_prefix(step.length);
        if (out.size() - 1 <= room_before_marker) {
            keep = out.size() - 1;
        }
        if (out.size() - 1 > room) {
            out.resize(keep + 1);
            out += marked ? marker : "";
            break;
        }
    }
    return out += '"';
}

std::string storable_json(std::string_view output, std::size_t max_bytes) {
    if (output.size() <= max_bytes && json_storable(output)) {
        return std::string{output};
    }
    return json_string(output, max_bytes);
}

}  // namespace libqueue::core
