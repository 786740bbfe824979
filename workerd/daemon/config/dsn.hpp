#pragma once

#include <string>
#include <string_view>

namespace workerd {

/// True for postgresql:// and postgres://.
[[nodiscard]] bool is_dsn_uri(std::string_view dsn) noexcept;

/// True when the connection string itself holds a secret: user:pass@ or a password parameter.
[[nodiscard]] bool has_inline_password(std::string_view dsn);

/// True when libpq could read it: a URI, or keyword=value pairs.
[[nodiscard]] bool looks_like_dsn(std::string_view dsn) noexcept;

/// The connection string with one more parameter, unless it has that parameter already. `value`
/// must need no escaping beyond spaces.
[[nodiscard]] std::string with_parameter(std::string_view dsn, std::string_view key,
                                         std::string_view value);

}  // namespace workerd
