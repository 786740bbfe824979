#pragma once

#include <libqueue/statement.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::processors {

/// A call of an SQL function, the way processors ask and tell their own schemas: one row per row of
/// its result, one column per column. `name` is a constant of the program such as
/// `contacts.admit`; the parameters take the types the function declares, so it must not be
/// overloaded for their number.
[[nodiscard]] statement function_call(std::string_view name,
                                      std::vector<std::optional<std::string>> parameters);

/// A `text[]` parameter.
[[nodiscard]] std::string text_array(const std::vector<std::string>& texts);

}  // namespace libqueue::processors
