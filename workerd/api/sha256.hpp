#pragma once

#include <string>
#include <string_view>

namespace workerd::api {

/// 64 hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace workerd::api
