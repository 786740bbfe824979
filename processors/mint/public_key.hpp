#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace libqueue::processors::mint {

/// 32 bytes that name an account, a program or a signer on Solana; blockhashes have the same form.
/// Any 32 bytes are one: whether a key belongs to it is another question (`address.hpp`). Ordered
/// by its bytes. Pure; any thread.
class public_key {
   public:
    static constexpr std::size_t size = 32;

    /// All zero: the system program, and "none" where a program has optional keys.
    public_key() = default;
    /// Nothing when `bytes` is not 32 long.
    [[nodiscard]] static std::optional<public_key> from_bytes(std::string_view bytes);
    /// Nothing when it is no base58 text of 32 bytes.
    [[nodiscard]] static std::optional<public_key> parse(std::string_view base58_text);

    [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.data(), size}; }
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const public_key&, const public_key&) = default;

   private:
    std::array<char, size> bytes_{};
};

}  // namespace libqueue::processors::mint
