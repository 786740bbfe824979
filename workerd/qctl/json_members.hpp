#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Takes JSON apart without reading it into values: a payload's numbers must reach the database as
// they were written. Pure; any thread.

namespace qctl {

class json_member {
   public:
    std::string name;
    std::string_view value;  ///< raw JSON, a part of the text that was read
};

/// The members of an object; nothing when `text` is not one or a name comes twice. What is inside
/// the values is only skipped: whoever uses a value checks it.
[[nodiscard]] std::optional<std::vector<json_member>> json_members(std::string_view text);

/// The elements of an array, raw; nothing when `text` is not one.
[[nodiscard]] std::optional<std::vector<std::string_view>> json_elements(std::string_view text);

/// The text of a JSON string; nothing when it is not one.
[[nodiscard]] std::optional<std::string> json_text(std::string_view value);

/// The texts of an array of strings.
[[nodiscard]] std::optional<std::vector<std::string>> json_texts(std::string_view value);

/// Is it one JSON value of bearable depth?
[[nodiscard]] bool is_json(std::string_view text);

}  // namespace qctl
