#include "answer.hpp"

#include "problem.hpp"
#include "qctl/instant.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace workerd::api {

namespace {

using libqueue::column_type;

// What PostgreSQL prints as a number is one to JSON as well, but for NaN and the infinities.
bool is_finite_number(std::string_view text) noexcept {
    return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

std::string json_cell(column_type type, const std::optional<std::string>& cell) {
    if (!cell)
        return "null";
    switch (type) {
        case column_type::integer:
        case column_type::number:
            return is_finite_number(*cell) ? *cell : json_string(*cell);
        case column_type::boolean:
            return *cell == "t" || *cell == "true" ? "true" : "false";
        case column_type::json:
            return *cell;
        case column_type::time: {
            const auto when = qctl::read_instant(*cell);
            return json_string(when ? qctl::iso_instant(*when) : *cell);
        }
        case column_type::text:
            return json_string(*cell);
    }
    return "null";
}

constexpr std::string_view alphabet{
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

}  // namespace

std::string json_string(std::string_view text) {
    return boost::json::serialize(boost::json::value(boost::json::string(text)));
}

std::string json_object(const libqueue::report& of, std::size_t row) {
    std::string text{"{"};
    for (std::size_t i = 0; i < of.columns.size(); ++i) {
        text += (i == 0 ? "" : ",") + json_string(of.columns[i].name) + ':';
        text += json_cell(of.columns[i].type, of.rows[row][i]);
    }
    return text + '}';
}

std::string json_array(const libqueue::report& of) {
    std::string text{"["};
    for (std::size_t row = 0; row < of.rows.size(); ++row)
        text += (row == 0 ? "" : ",") + json_object(of, row);
    return text + ']';
}

std::string with_members(std::string object,
                         const std::vector<std::pair<std::string, std::string>>& more) {
    object.pop_back();
    for (const auto& [name, value] : more)
        object += (object.size() == 1 ? "" : ",") + json_string(name) + ':' + value;
    return object + '}';
}

answer& answer::with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
}

answer reply_list(const libqueue::report& of, const std::optional<std::string>& next) {
    const auto position = next      ? next
                          : of.next ? std::optional{std::to_string(*of.next)}
                                    : std::nullopt;
    std::string body = R"({"items":)" + json_array(of) + R"(,"next":)";
    body += position ? json_string(seal_cursor(*position)) : "null";
    body += of.capped ? R"(,"capped":true})" : "}";
    return answer{200, std::move(body)};
}

answer reply_page(const libqueue::report& of, int limit, std::string_view column) {
    const auto place = std::ranges::find(of.columns, column, &libqueue::column::name);
    const bool is_full = limit > 0 && of.rows.size() >= static_cast<std::size_t>(limit);
    if (!is_full || place == of.columns.end())
        return reply_list(of);
    const auto at = static_cast<std::size_t>(place - of.columns.begin());
    return reply_list(of, of.rows.back().at(at));
}

answer reply_object(const libqueue::report& of, int status) {
    if (of.rows.empty())
        refuse_missing("such thing");
    return answer{status, json_object(of, 0)};
}

answer reply_json(const boost::json::value& of, int status) {
    return answer{status, boost::json::serialize(of)};
}

answer reply_nothing() {
    return answer{204};
}

std::string seal_cursor(std::string_view position) {
    std::string out;
    unsigned held = 0;
    unsigned bits = 0;
    for (const char c : position) {
        held = (held << 8U) | static_cast<unsigned char>(c);
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            out += alphabet[(held >> bits) & 63U];
        }
    }
    if (bits > 0)
        out += alphabet[(held << (6 - bits)) & 63U];
    return out;
}

std::optional<std::string> open_cursor(std::string_view cursor) {
    std::string out;
    unsigned held = 0;
    unsigned bits = 0;
    for (const char c : cursor) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos)
            return std::nullopt;
        held = ((held << 6U) | static_cast<unsigned>(value)) & 0xffffU;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>((held >> bits) & 255U);
        }
    }
    // One text per position: what is not what seal_cursor() makes was not made by it.
    if (out.empty() || seal_cursor(out) != cursor)
        return std::nullopt;
    return out;
}

}  // namespace workerd::api
