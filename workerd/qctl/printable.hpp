#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Everything qctl prints passes through here: names, payloads and errors come from strangers, and
// a terminal obeys what it is sent. Pure; any thread.

namespace qctl {

/// Byte position of the first that is not UTF-8.
[[nodiscard]] std::optional<std::size_t> invalid_utf8_at(std::string_view text) noexcept;

/// One line without anything a terminal would obey: control characters (C0, DEL, C1) become `\n`,
/// `\t`, `\x1b` or `\u009b`, characters that reorder text become `\u202e`, stray bytes `\xff`.
[[nodiscard]] std::string printable(std::string_view text);

/// The same, but line breaks and tabs stay: for CSV, where they are part of a quoted field.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// A JSON string literal. Also escapes DEL, C1 and reordering characters; stray bytes become
/// U+FFFD.
[[nodiscard]] std::string json_quoted(std::string_view text);

/// Valid JSON text with the same escapes inside its strings; nothing else is touched.
[[nodiscard]] std::string json_printable(std::string_view json);

/// Columns a terminal needs for printable text: wide characters count two, combining ones none.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

/// Cut to `width` columns, the last being `…` when something was cut.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t width);

}  // namespace qctl
