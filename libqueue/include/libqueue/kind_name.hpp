#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue {

/// Whether `text` names a kind: 1 to 64 of [a-z0-9_.-]. The SQL functions apply the same rule.
[[nodiscard]] constexpr bool is_kind_name(std::string_view text) noexcept {
    constexpr std::size_t longest = 64;
    if (text.empty() || text.size() > longest) {
        return false;
    }
    for (const char c : text) {
        const bool allowed =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
        if (!allowed) {
            return false;
        }
    }
    return true;
}

/// The name of a kind written in a program; a name outside the rules does not compile.
/// Made from a string literal only, so it is valid for ever and may be copied freely.
class kind_name {
   public:
    template <std::size_t N>
    consteval explicit kind_name(const char (&literal)[N]) : text_{literal, N - 1} {
        if (!is_kind_name(text_)) {
            throw "a kind is named with 1 to 64 of a-z 0-9 _ . -";
        }
    }

    [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }
    [[nodiscard]] std::string str() const { return std::string{text_}; }
    [[nodiscard]] constexpr bool operator==(const kind_name&) const noexcept = default;

   private:
    std::string_view text_;
};
static_assert(!std::is_aggregate_v<kind_name>);

}  // namespace libqueue
