#pragma once

#include <libqueue/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// Text that PostgreSQL can store. A `text` or `jsonb` value refuses NUL and invalid UTF-8, jsonb
/// also refuses \u0000 and lone surrogates; a job must not fail for good because its error message
/// had a stray byte. Pure; any thread.
namespace libqueue::core {

/// One step through UTF-8.
class utf8_step {
   public:
    /// Bytes to go on by; at least 1 when the text was not empty. For an invalid sequence this is
    /// its longest well-formed beginning, so each becomes one replacement character (as the
    /// Unicode Standard recommends, table 3-8).
    std::size_t length{0};
    bool valid{false};
};

/// Looks at the first code point of `text`. Overlong forms, surrogates and values above U+10FFFF
/// are invalid.
[[nodiscard]] utf8_step next_code_point(std::string_view text) noexcept;

/// Valid UTF-8 without NUL.
[[nodiscard]] bool is_storable_text(std::string_view text) noexcept;

/// `bytes` with every invalid sequence and NUL replaced by U+FFFD, and of at most `max_bytes`: a
/// longer one is cut at a code point and ends in ` [truncated, <n> bytes]` with the size of
/// `bytes` (the marker counts; when it does not fit, the text is only cut).
[[nodiscard]] std::string storable_text(std::string_view bytes, std::size_t max_bytes);

/// Checks that `json` is one JSON value (RFC 8259) that jsonb can store: valid UTF-8, no \u0000, no
/// lone surrogate, at most limits::json_depth levels, numbers within limits::json_number_bytes and
/// json_exponent. Does not recurse and allocates nothing on success.
/// The error (invalid_payload) says what was expected at which byte, beginning with `what`; it
/// never quotes the text, which may hold secrets.
[[nodiscard]] result<void> json_storable(std::string_view json, std::string_view what = "payload");

/// The same, and the value must be an object.
[[nodiscard]] result<void> json_object_storable(std::string_view json, std::string_view what);

/// `text` as a JSON string literal of at most `max_bytes` (at least 2): made storable, escaped, and
/// cut with the marker of `storable_text` where it would not fit.
[[nodiscard]] std::string json_string(std::string_view text, std::size_t max_bytes);

/// What is kept of a handler's output: `output` itself when `json_storable` and not longer than
/// `max_bytes`, else a JSON string of it, made storable and cut to fit.
[[nodiscard]] std::string storable_json(std::string_view output, std::size_t max_bytes);

}  // namespace libqueue::core
