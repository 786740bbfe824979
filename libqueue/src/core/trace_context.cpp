#include <libqueue/trace_context.hpp>

namespace libqueue {
namespace {

constexpr std::string_view digits{"0123456789abcdef"};

void append_hex(std::string& to, std::uint64_t value) {
    for (int shift = 60; shift >= 0; shift -= 4) {
        to += digits[(value >> static_cast<unsigned>(shift)) & 15U];
    }
}

std::optional<std::uint64_t> read_hex(std::string_view text) noexcept {
    std::uint64_t value = 0;
    for (const char c : text) {
        const std::size_t digit = digits.find(c);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        value = value << 4U | digit;
    }
    return value;
}

constexpr std::size_t length{55};

std::uint64_t mixed(std::uint64_t value) noexcept {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
}

}  // namespace

std::optional<trace_context> trace_context::parse(std::string_view text) noexcept {
    if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return std::nullopt;
    }
    const auto version = read_hex(text.substr(0, 2));
    const bool whole = text.size() == length || (version != 0U && text[length] == '-');
    const auto high = read_hex(text.substr(3, 16));
    const auto low = read_hex(text.substr(19, 16));
    const auto span = read_hex(text.substr(36, 16));
    const auto flags = read_hex(text.substr(53, 2));
    if (!version || *version == 255U || !whole || !high || !low || !span || !flags ||
        (*high == 0 && *low == 0) || *span == 0) {
        return std::nullopt;
    }
    return trace_context{*high, *low, *span, (*flags & 1U) != 0};
}

std::string trace_context::header() const {
    std::string text;
    text.reserve(length);
    text += "00-";
    append_hex(text, trace_high);
    append_hex(text, trace_low);
    text += '-';
    append_hex(text, span);
    text += sampled ? "-01" : "-00";
    return text;
}

std::string trace_context::trace_id() const {
    std::string text;
    append_hex(text, trace_high);
    append_hex(text, trace_low);
    return text;
}

std::string trace_context::span_id() const {
    std::string text;
    append_hex(text, span);
    return text;
}

std::uint64_t spread_id(std::uint64_t from, std::uint64_t and_from) noexcept {
    const std::uint64_t id = mixed(mixed(from) ^ and_from);
    return id == 0 ? 1 : id;
}

}  // namespace libqueue
