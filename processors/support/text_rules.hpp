#pragma once

#include <string>
#include <string_view>

// Rules that keep one field from becoming two: everything that ends up in a protocol line passes
// here first. Pure; any thread.

namespace libqueue::processors {

/// Contains a C0 control character other than tab, or DEL: CR, LF and NUL above all, which would
/// start a new header or command line.
[[nodiscard]] bool has_control_characters(std::string_view text) noexcept;
/// An RFC 9110 token: what a header may be called. Not empty.
[[nodiscard]] bool is_token(std::string_view text) noexcept;
[[nodiscard]] bool is_ascii(std::string_view text) noexcept;
/// ASCII letters only; locale-free.
[[nodiscard]] std::string to_lower(std::string_view text);
/// Without leading and trailing blanks and tabs.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;
/// `j***@example.com`: what logs and error texts may show of the mail addresses inside `text`.
[[nodiscard]] std::string with_addresses_masked(std::string_view text);

}  // namespace libqueue::processors
