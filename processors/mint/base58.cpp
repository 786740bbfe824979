#include "processors/mint/base58.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace libqueue::processors::mint {

namespace {

constexpr std::string_view alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// number = number * factor + carry, in base `base`, least significant digit first.
void multiply_add(std::vector<std::uint32_t>& digits, std::uint32_t base, std::uint32_t factor,
                  std::uint32_t carry) {
    for (auto& digit : digits) {
        carry += digit * factor;
        digit = carry % base;
        carry /= base;
    }
    for (; carry > 0; carry /= base) {
        digits.push_back(carry % base);
    }
}

}  // namespace

std::string base58_encode(std::string_view bytes) {
    std::vector<std::uint32_t> digits;
    for (const char c : bytes) {
        multiply_add(digits, 58, 256, static_cast<unsigned char>(c));
    }
    const auto zeros = std::min(bytes.find_first_not_of('\0'), bytes.size());
    std::string text(zeros, alphabet.front());
    std::for_each(digits.rbegin(), digits.rend(),
                  [&text](std::uint32_t digit) { text.push_back(alphabet[digit]); });
    return text;
}

std::optional<std::string> base58_decode(std::string_view text, std::size_t most) {
    // A byte is log(256)/log(58) = 1.37 characters.
    if (text.size() > most * 138 / 100 + 1) {
        return std::nullopt;
    }
    std::vector<std::uint32_t> bytes;
    for (const char c : text) {
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        multiply_add(bytes, 256, 58, static_cast<std::uint32_t>(digit));
    }
    const auto zeros = std::min(text.find_first_not_of(alphabet.front()), text.size());
    if (zeros + bytes.size() > most) {
        return std::nullopt;
    }
    std::string out(zeros, '\0');
    std::for_each(bytes.rbegin(), bytes.rend(),
                  [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); });
    return out;
}

}  // namespace libqueue::processors::mint
