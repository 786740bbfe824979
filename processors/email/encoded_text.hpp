#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// The encodings of mail, pure: what may stand in a header and in a body line.

namespace libqueue::processors::email {

/// Text of a header: as it is when printable ASCII, else RFC 2047 encoded words (UTF-8, base64),
/// each at most 75 characters and none splitting a character, separated by spaces. Text that
/// already looks like an encoded word is encoded too, so that it arrives as it was written.
[[nodiscard]] std::string encoded_words(std::string_view text);
/// A display name: plain, quoted or as encoded words, whichever it needs.
[[nodiscard]] std::string encoded_phrase(std::string_view text);
/// `Name: value` CRLF, folded at spaces so that lines stay within 78 characters where they can.
/// Nothing is folded inside a word, so a word over 998 is the caller's fault.
[[nodiscard]] std::string header_line(std::string_view name, std::string_view value);

/// CRLF at the end of every line, whatever stood there (CR, LF or both), and at the very end.
[[nodiscard]] std::string with_crlf(std::string_view text);
/// ASCII without control characters other than tab, lines of at most 78: fit to travel as 7bit.
[[nodiscard]] bool is_plain_body(std::string_view crlf_text);
/// RFC 2045 quoted-printable of text with CRLF line ends; lines of at most 76.
[[nodiscard]] std::string quoted_printable(std::string_view crlf_text);

}  // namespace libqueue::processors::email
