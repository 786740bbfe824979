#pragma once

#include "processors/email/attachment.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The tree of parts of a mail (RFC 2045, 2046, 2183, 2231, 2387), built inside out. Pure.

namespace libqueue::processors::email {

/// Headers, empty line and body of one part, which may itself be a multipart. CRLF throughout.
/// No body line is over 78 characters and none begins with two hyphens and a boundary of ours.
///
///   mixed                 only with files to be saved
///     alternative         only with text and HTML
///       text/plain
///       related           only with inline files
///         text/html
///         inline files
///     files
///
/// `seed` makes the boundaries: the same seed and parts give the same bytes. Inline files without
/// HTML are treated as files to be saved: nothing could show them.
[[nodiscard]] std::string mime_tree(const std::optional<std::string>& text,
                                    const std::optional<std::string>& html,
                                    const std::vector<attachment>& files, std::string_view seed);

/// A parameter of a MIME header, with the `;` and the fold before it: `; name="value"`, and where
/// the value is not printable ASCII or is long, RFC 2231 (`name*0*=UTF-8''...`).
[[nodiscard]] std::string mime_parameter(std::string_view name, std::string_view value);

}  // namespace libqueue::processors::email
