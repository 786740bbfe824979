#include "processors/support/trace_state.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstddef>

namespace libqueue::processors {

namespace {

constexpr std::size_t most_bytes{512};
constexpr std::size_t most_members{32};
constexpr std::size_t most_of_key_or_value{256};

bool is_key(std::string_view text) noexcept {
    const auto is_first = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && text.size() <= most_of_key_or_value && is_first(text.front()) &&
           std::ranges::all_of(text, [&](char c) {
               return is_first(c) || std::string_view{"_-*/@"}.find(c) != std::string_view::npos;
           });
}

bool is_value(std::string_view text) noexcept {
    return !text.empty() && text.size() <= most_of_key_or_value && text.back() != ' ' &&
           std::ranges::all_of(text,
                               [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

bool is_tracestate(std::string_view text) noexcept {
    if (text.size() > most_bytes) {
        return false;
    }
    std::size_t members = 0;
    while (true) {
        const auto end = std::min(text.find(','), text.size());
        const auto member = trimmed(text.substr(0, end));
        const auto equals = member.find('=');
        // Empty members are allowed, and are none.
        if (!member.empty()) {
            if (equals == std::string_view::npos || ++members > most_members ||
                !is_key(member.substr(0, equals)) || !is_value(member.substr(equals + 1))) {
                return false;
            }
        }
        if (end == text.size()) {
            return members > 0;
        }
        text.remove_prefix(end + 1);
    }
}

std::string tracestate_in(std::string_view meta) {
    // Most jobs have none: nothing is read for them.
    if (meta.find("\"tracestate\"") == std::string_view::npos) {
        return {};
    }
    boost::json::error_code failed;
    const auto parsed =
        boost::json::parse(boost::json::string_view{meta.data(), meta.size()}, failed);
    if (failed || !parsed.is_object()) {
        return {};
    }
    const auto* found = parsed.get_object().if_contains("tracestate");
    if (found == nullptr || !found->is_string()) {
        return {};
    }
    const std::string text{found->get_string()};
    return is_tracestate(text) ? text : std::string{};
}

}  // namespace libqueue::processors
