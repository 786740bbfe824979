#pragma once

#include "processors/support/payload.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace libqueue::processors::email {

/// A file that travels with a mail: to be saved, or shown inside the HTML as `cid:<inline_id>`.
class attachment {
   public:
    attachment(std::string name_, std::string type_, std::string content_)
        : name{std::move(name_)}, type{std::move(type_)}, content{std::move(content_)} {}

    std::string name;       ///< for people, UTF-8; no path
    std::string type;       ///< media type such as application/pdf
    std::string content;    ///< the bytes
    std::string inline_id;  ///< empty: to be saved
};
static_assert(!std::is_aggregate_v<attachment>);

inline constexpr std::size_t most_attachments = 20;
/// Of all files of one mail, decoded. Base64 makes it 13.5 MiB on the wire, which the usual limit
/// of servers (20 to 25 MB) lets through.
inline constexpr std::size_t most_attached_bytes = 10UL * 1024 * 1024;

/// The member `attachments` of a payload:
///   [{"name": "ticket.pdf", "type": "application/pdf", "content": "<base64>",
///     "inline_id": "logo"}]
/// Faults go to the reader, by position and never with content. Refused: names with a path or
/// control characters, types that are no plain leaf (multipart/*, message/*), ids that could not
/// stand in a URL, doubles of an id.
[[nodiscard]] std::vector<attachment> read_attachments(payload_reader& reader);

}  // namespace libqueue::processors::email
