#include "router.hpp"

#include "problem.hpp"
#include "rights.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace workerd::api {

namespace {

constexpr std::size_t parameters_max = 32;

std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> parts;
    while (path.starts_with('/')) {
        path.remove_prefix(1);
        const auto end = std::min(path.find('/'), path.size());
        parts.push_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return parts;
}

bool is_parameter(std::string_view segment) {
    return segment.starts_with('{');
}

// How many literal segments a route matches with; nothing when it does not match.
std::optional<int> literals(const route& each, const std::vector<std::string_view>& given) {
    const auto pattern = segments_of(each.path);
    if (pattern.size() != given.size())
        return std::nullopt;
    int count = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (is_parameter(pattern[i]) ? given[i].empty() : pattern[i] != given[i])
            return std::nullopt;
        count += is_parameter(pattern[i]) ? 0 : 1;
    }
    return count;
}

std::string shape_of(const route& each) {
    std::string text{to_string(each.method)};
    for (const auto segment : segments_of(each.path))
        text += '/' + (is_parameter(segment) ? std::string{"{}"} : std::string{segment});
    return text;
}

std::pair<std::string_view, std::string_view> split_at(std::string_view text, char mark) {
    const auto at = text.find(mark);
    if (at == std::string_view::npos)
        return {text, {}};
    return {text.substr(0, at), text.substr(at + 1)};
}

int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Well-formed UTF-8 without overlong forms and surrogates, and no control characters.
bool is_clean_text(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        if (first < 0x20 || first == 0x7f)
            return false;
        const std::size_t more = first < 0x80                     ? 0
                                 : first >= 0xc2 && first <= 0xdf ? 1
                                 : (first & 0xf0U) == 0xe0        ? 2
                                 : first >= 0xf0 && first <= 0xf4 ? 3
                                                                  : 9;
        if (more > 3 || i + more >= text.size())
            return false;
        for (std::size_t k = 1; k <= more; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0U) != 0x80)
                return false;
        const auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0U;
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
            (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
            return false;
        i += more + 1;
    }
    return true;
}

}  // namespace

std::string_view to_string(verb method) noexcept {
    switch (method) {
        case verb::get:
            return "GET";
        case verb::post:
            return "POST";
        case verb::put:
            return "PUT";
        case verb::remove:
            return "DELETE";
    }
    return "GET";
}

router::router(std::span<const route> routes) : routes_{routes} {
    std::vector<std::string> seen;
    for (const auto& each : routes_) {
        const auto whole = std::string{to_string(each.method)} + ' ' + std::string{each.path};
        if (each.run == nullptr)
            throw std::logic_error{whole + ": no handler"};
        if (!each.right.empty() && find_right(each.right) == nullptr)
            throw std::logic_error{whole + ": unknown right " + std::string{each.right}};
        auto form = shape_of(each);
        if (std::ranges::find(seen, form) != seen.end())
            throw std::logic_error{whole + ": there are two of this"};
        seen.push_back(std::move(form));
    }
}

router::match router::find(verb method, std::string_view path) const {
    const auto given = segments_of(path);
    match best;
    int most = -1;
    for (const auto& each : routes_) {
        const auto count = literals(each, given);
        if (!count)
            continue;
        if (each.method != method) {
            best.others.push_back(each.method);
        } else if (*count > most) {
            best.found = &each;
            most = *count;
        }
    }
    if (best.found == nullptr)
        return best;
    const auto pattern = segments_of(best.found->path);
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (!is_parameter(pattern[i]))
            continue;
        const auto name = pattern[i].substr(1, pattern[i].size() - 2);
        best.path[std::string{name}] = decoded(given[i], "path." + std::string{name});
    }
    return best;
}

router::match router::find_any(std::string_view path) const {
    const auto given = segments_of(path);
    match all;
    for (const auto& each : routes_)
        if (literals(each, given))
            all.others.push_back(each.method);
    return all;
}

std::string decoded(std::string_view text, std::string_view where) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            refuse_value(std::string{where}, "percent-encoded UTF-8", "a broken escape");
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    if (!is_clean_text(out))
        refuse_value(std::string{where}, "UTF-8 without control characters", "other bytes");
    return out;
}

router::parameters parse_query(std::string_view query) {
    router::parameters all;
    while (!query.empty()) {
        const auto [part, rest] = split_at(query, '&');
        query = rest;
        if (part.empty())
            continue;
        const auto [raw_name, raw_value] = split_at(part, '=');
        auto name = decoded(raw_name, "query");
        std::string raw{raw_value};
        // Forms write a space as plus.
        std::ranges::replace(raw, '+', ' ');
        auto value = decoded(raw, "query." + name.substr(0, 64));
        if (all.size() >= parameters_max)
            refuse_value("query", "at most 32 parameters", "more");
        const auto [place, is_new] = all.try_emplace(name, std::move(value));
        if (!is_new)
            refuse_value("query." + name.substr(0, 64), "one value", "two");
    }
    return all;
}

}  // namespace workerd::api
