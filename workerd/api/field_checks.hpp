#pragma once

#include "route.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace workerd::api {

/// Refuses (400) a text of the path or query that is no value of the field. `where`: "query.limit".
void check_text(const field& row, std::string_view value, const std::string& where);

/// Refuses a member of the body that is no value of the field.
void check_json(const field& row, const boost::json::value& value, const std::string& where);

/// "an integer from 1 to 500", for messages and the description.
[[nodiscard]] std::string expectation(const field& row);

/// 8-4-4-4-12 hexadecimal digits, of either case.
[[nodiscard]] bool is_uuid(std::string_view text);

[[nodiscard]] std::string_view to_string(value_type type) noexcept;

}  // namespace workerd::api
