#include "processors/support/form_body.hpp"

namespace libqueue::processors {

namespace {

void append_encoded(std::string& to, std::string_view text, std::string_view also_plain) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                           also_plain.find(c) != std::string_view::npos;
        if (plain) {
            to += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        to += '%';
        to += digits[byte >> 4U];
        to += digits[byte & 15U];
    }
}

}  // namespace

std::string percent_encoded(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    append_encoded(out, text, {});
    return out;
}

void form_body::add(std::string_view name, std::string_view value) {
    if (!text_.empty()) {
        text_ += '&';
    }
    append_encoded(text_, name, "[]");
    text_ += '=';
    append_encoded(text_, value, {});
}

void form_body::add(std::string_view name, std::int64_t value) {
    add(name, std::string_view{std::to_string(value)});
}

std::string nested(std::string_view outer, std::string_view inner) {
    std::string name{outer};
    name += '[';
    name += inner;
    name += ']';
    return name;
}

std::string nested(std::string_view outer, std::size_t index) {
    return nested(outer, std::string_view{std::to_string(index)});
}

}  // namespace libqueue::processors
