#include "field_checks.hpp"

#include "answer.hpp"
#include "problem.hpp"
#include "qctl/instant.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace workerd::api {

namespace {

constexpr std::size_t shown_max = 60;

bool is_bounded(const field& row) {
    return row.min != 0 || row.max != 0;
}

std::string range(const field& row) {
    return " from " + std::to_string(row.min) + " to " + std::to_string(row.max);
}

bool is_choice(const field& row, std::string_view value) {
    auto rest = row.choices;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('|'), rest.size());
        if (rest.substr(0, end) == value)
            return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return row.choices.empty();
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

bool fits(const field& row, std::int64_t value) {
    return !is_bounded(row) || (value >= row.min && value <= row.max);
}

bool fits(const field& row, double value) {
    return std::isfinite(value) && (!is_bounded(row) || (value >= static_cast<double>(row.min) &&
                                                         value <= static_cast<double>(row.max)));
}

bool is_text_value(const field& row, std::string_view value) {
    switch (row.type) {
        case value_type::text:
            return fits(row, static_cast<std::int64_t>(value.size())) && is_choice(row, value);
        case value_type::integer: {
            const auto number = number_of<std::int64_t>(value);
            return number && fits(row, *number);
        }
        case value_type::number: {
            const auto number = number_of<double>(value);
            return number && fits(row, *number);
        }
        case value_type::boolean:
            return value == "true" || value == "false";
        case value_type::time:
            return qctl::read_instant(value).has_value();
        case value_type::uuid:
            return is_uuid(value);
        case value_type::object:
        case value_type::list:
        case value_type::json:
            return false;
    }
    return false;
}

bool is_json_value(const field& row, const boost::json::value& value) {
    switch (row.type) {
        case value_type::text:
        case value_type::time:
        case value_type::uuid: {
            const auto* text = value.if_string();
            // PostgreSQL's texts hold any character but this one.
            return text != nullptr && text->find('\0') == boost::json::string::npos &&
                   is_text_value(row, std::string_view{text->data(), text->size()});
        }
        case value_type::integer: {
            if (const auto* number = value.if_int64())
                return fits(row, *number);
            return false;
        }
        case value_type::number: {
            if (!value.is_number())
                return false;
            return fits(row, value.to_number<double>());
        }
        case value_type::boolean:
            return value.is_bool();
        case value_type::object:
            return value.is_object();
        case value_type::list:
            return value.is_array() &&
                   fits(row, static_cast<std::int64_t>(value.get_array().size()));
        case value_type::json:
            return true;
    }
    return false;
}

}  // namespace

bool is_uuid(std::string_view text) {
    constexpr std::size_t length = 36;
    if (text.size() != length)
        return false;
    for (std::size_t i = 0; i < length; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool digit = (text[i] >= '0' && text[i] <= '9') ||
                           (text[i] >= 'a' && text[i] <= 'f') || (text[i] >= 'A' && text[i] <= 'F');
        if (dash ? text[i] != '-' : !digit)
            return false;
    }
    return true;
}

std::string_view to_string(value_type type) noexcept {
    switch (type) {
        case value_type::text:
            return "a text";
        case value_type::integer:
            return "an integer";
        case value_type::number:
            return "a number";
        case value_type::boolean:
            return "true or false";
        case value_type::time:
            return "a time with its zone (2026-01-31T08:00:00Z)";
        case value_type::uuid:
            return "a UUID";
        case value_type::object:
            return "an object";
        case value_type::list:
            return "a list";
        case value_type::json:
            return "JSON";
    }
    return "a value";
}

std::string expectation(const field& row) {
    if (!row.choices.empty()) {
        std::string text{row.choices};
        for (auto at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
            text.replace(at, 1, ", ");
        return "one of " + text;
    }
    std::string text{to_string(row.type)};
    if (!is_bounded(row))
        return text;
    if (row.type == value_type::text)
        return text + " of " + std::to_string(row.min) + " to " + std::to_string(row.max) +
               " bytes";
    if (row.type == value_type::list)
        return text + " of " + std::to_string(row.min) + " to " + std::to_string(row.max) +
               " elements";
    return text + range(row);
}

void check_text(const field& row, std::string_view value, const std::string& where) {
    if (!is_text_value(row, value))
        refuse_value(where, expectation(row),
                     value.size() > shown_max ? std::to_string(value.size()) + " bytes"
                                              : '\'' + std::string{value} + '\'');
}

void check_json(const field& row, const boost::json::value& value, const std::string& where) {
    if (is_json_value(row, value))
        return;
    // Never the value itself: it may be a payload.
    const auto kind = boost::json::to_string(value.kind());
    std::string got = "another " + std::string{kind.data(), kind.size()};
    if (const auto* text = value.if_string())
        got = "a text of " + std::to_string(text->size()) + " bytes";
    else if (value.is_int64())
        got = std::to_string(value.get_int64());
    refuse_value(where, expectation(row), got);
}

}  // namespace workerd::api
