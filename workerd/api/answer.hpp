#pragma once

#include <libqueue/operations.hpp>

#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace workerd {
class http_pieces;
}

namespace workerd::api {

/// What a handler returns.
class answer {
   public:
    explicit answer(int status_, std::string body_ = {},
                    std::string content_type_ = "application/json")
        : status{status_}, body{std::move(body_)}, content_type{std::move(content_type_)} {}

    answer& with(std::string name, std::string value);

    int status;
    std::string body;
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    /// What the ETag is made of: the state an edit begins from, without what changes by itself.
    std::optional<std::string> tag;
    /// Of /stream: what follows the head instead of a body.
    std::shared_ptr<http_pieces> events;
};

/// {"items":[...],"next":...}. `next` is what the next page's cursor holds; unset, it is the
/// report's own `next`. A list that ended early says "capped":true.
[[nodiscard]] answer reply_list(const libqueue::report& of,
                                const std::optional<std::string>& next = {});
/// A page of a list that goes on at the last row's `column`, when it is full.
[[nodiscard]] answer reply_page(const libqueue::report& of, int limit,
                                std::string_view column = "id");
/// The first row as an object; without a row 404.
[[nodiscard]] answer reply_object(const libqueue::report& of, int status = 200);
/// Any document.
[[nodiscard]] answer reply_json(const boost::json::value& of, int status = 200);
[[nodiscard]] answer reply_nothing();

/// One row as a JSON object: column names are the members. Numbers go out as they came, documents
/// unparsed, times as ISO 8601 in UTC with microseconds.
[[nodiscard]] std::string json_object(const libqueue::report& of, std::size_t row);
/// All rows.
[[nodiscard]] std::string json_array(const libqueue::report& of);
/// The object with further members ("name", raw JSON) at its end.
[[nodiscard]] std::string with_members(
    std::string object, const std::vector<std::pair<std::string, std::string>>& more);
/// A JSON string.
[[nodiscard]] std::string json_string(std::string_view text);

/// What `cursor` carries, opaque to clients.
[[nodiscard]] std::string seal_cursor(std::string_view position);
[[nodiscard]] std::optional<std::string> open_cursor(std::string_view cursor);

}  // namespace workerd::api
