#include "api_call.hpp"

#include "field_checks.hpp"
#include "qctl/instant.hpp"
#include "qctl/json_members.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace workerd::api {

namespace {

constexpr std::size_t deepest = 100;
constexpr std::int64_t page_max = 500;
constexpr int page_standard = 50;
constexpr std::size_t cursor_max = 1024;

constexpr field limit_field{
    "limit", value_type::integer, "How many at most; 50 unless given.", false, 1, page_max};
constexpr field cursor_field{"cursor", value_type::text, "`next` of the page before.", false,
                             1,        cursor_max};
constexpr field id_field{
    "id", value_type::integer, "", true, 1, std::numeric_limits<std::int64_t>::max()};
constexpr field name_field{"name", value_type::text, "", true, 1, 512};

const field* find_field(std::span<const field> rows, std::string_view name) {
    const auto found = std::ranges::find(rows, name, &field::name);
    return found == rows.end() ? nullptr : &*found;
}

void check_path(const route& to, const request_facts& facts) {
    for (const auto& [name, value] : facts.path) {
        const auto* row = find_field(to.parameters, name);
        if (row == nullptr)
            row = name == "id" ? &id_field : &name_field;
        check_text(*row, value, "path." + name);
    }
}

void check_query(const route& to, const request_facts& facts) {
    for (const auto& [name, value] : facts.query) {
        const auto* row = find_field(to.parameters, name);
        if (row == nullptr && to.pages)
            row = name == "limit" ? &limit_field : name == "cursor" ? &cursor_field : nullptr;
        if (row == nullptr || facts.path.contains(name))
            refuse_value("query." + name.substr(0, 64), "a parameter of this route", "an unknown");
        check_text(*row, value, "query." + name);
    }
    for (const auto& row : to.parameters) {
        const std::string name{row.name};
        if (row.required && !facts.path.contains(name) && !facts.query.contains(name))
            refuse_value("query." + name, expectation(row), "nothing");
    }
}

boost::json::object parse_body(const std::string& text) {
    boost::json::parse_options strict;
    strict.max_depth = deepest;
    boost::system::error_code error;
    auto value = boost::json::parse(text, error, {}, strict);
    if (error == boost::json::error::too_deep)
        refuse_value("body", "JSON at most 100 levels deep", "more");
    if (error)
        refuse_value("body", "JSON", error.message());
    if (!value.is_object())
        refuse_value("body", "a JSON object", "another JSON value");
    return std::move(value.get_object());
}

std::int64_t integer_of(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

api_call::api_call(const route& to, const request_facts& facts, const libqueue::principal& who,
                   libqueue::client& database, const surroundings& around)
    : who_{who}, database_{database}, around_{around}, facts_{facts} {
    check_path(to, facts);
    check_query(to, facts);
    const bool is_blank = facts.body.find_first_not_of(" \t\r\n") == std::string::npos;
    if (to.body.empty() && !is_blank)
        refuse_value("body", "nothing", std::to_string(facts.body.size()) + " bytes");
    if (!is_blank) {
        body_ = parse_body(facts.body);
        const auto members = qctl::json_members(facts.body);
        if (!members)
            refuse_value("body", "each member once", "one that comes twice");
        for (const auto& each : *members)
            raw_[each.name] = each.value;
    }
    for (const auto& member : body_) {
        const std::string_view name{member.key().data(), member.key().size()};
        const auto* row = find_field(to.body, name);
        if (row == nullptr)
            refuse_value("body", "members of this route only", json_string(name.substr(0, 64)));
        if (!member.value().is_null())
            check_json(*row, member.value(), "body." + std::string{name});
    }
    for (const auto& row : to.body)
        if (row.required && !has(row.name))
            refuse_value("body." + std::string{row.name}, expectation(row), "nothing");
}

const std::string& api_call::name(std::string_view parameter) const {
    const auto found = facts_.path.find(parameter);
    if (found == facts_.path.end())
        refuse(500, "internal", "the route has no such path parameter");
    return found->second;
}

std::int64_t api_call::id(std::string_view parameter) const {
    return integer_of(name(parameter));
}

std::optional<std::string> api_call::text(std::string_view parameter) const {
    const auto found = facts_.query.find(parameter);
    return found == facts_.query.end() ? std::nullopt : std::optional{found->second};
}

std::optional<std::int64_t> api_call::integer(std::string_view parameter) const {
    const auto found = text(parameter);
    return found ? std::optional{integer_of(*found)} : std::nullopt;
}

bool api_call::flag(std::string_view parameter) const {
    return text(parameter) == "true";
}

std::optional<libqueue::time_point> api_call::time(std::string_view parameter) const {
    const auto found = text(parameter);
    return found ? qctl::read_instant(*found) : std::nullopt;
}

std::optional<std::string> api_call::tenant() const {
    auto asked = text("tenant_id");
    if (!asked)
        asked = member_text("tenant_id");
    if (!who_.tenant_id)
        return asked;
    // Another's tenant looks like one that does not exist.
    if (asked && *asked != *who_.tenant_id)
        refuse_missing("such tenant");
    return who_.tenant_id;
}

int api_call::limit() const {
    return static_cast<int>(integer("limit").value_or(page_standard));
}

std::optional<std::string> api_call::cursor() const {
    const auto given = text("cursor");
    if (!given)
        return std::nullopt;
    auto position = open_cursor(*given);
    if (!position)
        refuse_value("query.cursor", "`next` of a page of this list", "something else");
    return position;
}

std::optional<std::int64_t> api_call::cursor_id() const {
    const auto position = cursor();
    if (!position) {
        const auto below = integer("before");
        return below ? below : integer("after");
    }
    constexpr field id{"cursor", value_type::integer};
    check_text(id, *position, "query.cursor");
    return integer_of(*position);
}

bool api_call::has(std::string_view member) const {
    const auto* value = body_.if_contains(member);
    return value != nullptr && !value->is_null();
}

std::optional<std::string> api_call::member_text(std::string_view member) const {
    if (!has(member))
        return std::nullopt;
    const auto& text = body_.at(member).as_string();
    return std::string{text.data(), text.size()};
}

std::optional<std::int64_t> api_call::member_integer(std::string_view member) const {
    return has(member) ? std::optional{body_.at(member).as_int64()} : std::nullopt;
}

std::optional<double> api_call::member_number(std::string_view member) const {
    return has(member) ? std::optional{body_.at(member).to_number<double>()} : std::nullopt;
}

std::optional<bool> api_call::member_flag(std::string_view member) const {
    return has(member) ? std::optional{body_.at(member).as_bool()} : std::nullopt;
}

std::optional<libqueue::time_point> api_call::member_time(std::string_view member) const {
    const auto text = member_text(member);
    return text ? qctl::read_instant(*text) : std::nullopt;
}

std::optional<std::vector<std::string>> api_call::member_texts(std::string_view member) const {
    if (!has(member))
        return std::nullopt;
    std::vector<std::string> all;
    for (const auto& each : body_.at(member).as_array()) {
        const auto* text = each.if_string();
        if (text == nullptr || text->find('\0') != boost::json::string::npos)
            refuse_value("body." + std::string{member}, "a list of texts", "something else in it");
        all.emplace_back(text->data(), text->size());
    }
    return all;
}

std::optional<std::string> api_call::member_json(std::string_view member) const {
    const auto found = raw_.find(member);
    if (found == raw_.end() || found->second == "null")
        return std::nullopt;
    return std::string{found->second};
}

}  // namespace workerd::api
