#pragma once

#include <string>
#include <string_view>

namespace libqueue::processors::email {

/// The text of an HTML mail, for programs that show none: blocks on lines of their own, list items
/// with a hyphen, links as `text (url)`, entities decoded, style, script and head left out, white
/// space folded. Takes any bytes; at most as long as the input plus what links repeat. Pure.
[[nodiscard]] std::string text_of_html(std::string_view html);

}  // namespace libqueue::processors::email
