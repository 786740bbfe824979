#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace libqueue::processors::mint {

/// Base58 with Bitcoin's alphabet and no checksum, as Solana writes keys and signatures: the bytes
/// as one big-endian number, and a `1` for each leading zero byte. Quadratic, so for short texts.
[[nodiscard]] std::string base58_encode(std::string_view bytes);
/// Nothing when a character is not in the alphabet or the value has more than `most` bytes. Texts
/// too long for that are refused unread.
[[nodiscard]] std::optional<std::string> base58_decode(std::string_view text, std::size_t most);

}  // namespace libqueue::processors::mint
