#pragma once

#include <string>
#include <string_view>

namespace libqueue::pg {

/// SHA-256 of `text` as 64 hexadecimal digits: what the database keeps instead of a token's text,
/// and of a migration's.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace libqueue::pg
