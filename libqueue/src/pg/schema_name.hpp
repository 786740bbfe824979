#pragma once

#include <libqueue/error.hpp>

#include <string>
#include <string_view>

namespace libqueue::pg {

/// A schema name is [a-z_][a-z0-9_]{0,47}: it needs no quoting anywhere.
[[nodiscard]] libqueue::result<void> check_schema_name(std::string_view schema);

/// SQL files are written for the schema "queue"; this rewrites every `queue.` that starts a name
/// (not one that follows a letter, digit, underscore, dot or double quote) for another schema.
[[nodiscard]] std::string with_schema(std::string_view sql, std::string_view schema);

}  // namespace libqueue::pg
