#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// The strict reading of an HTTP/1.1 request head that goes before the lenient one of the parser.
// Two programs that read the same bytes differently are how requests are smuggled past a proxy, so
// whatever leaves room for two readings is refused: line ends other than CRLF, folded lines, spaces
// before a colon, two lengths, a length beside an encoding, encodings other than chunked, targets
// other than a path. RFC 9112 allows refusing all of them. Pure.

namespace workerd {

/// What is wrong with a head; status 0: nothing.
class head_verdict {
   public:
    head_verdict() = default;
    int status = 0;
    std::string reason;  ///< never repeats what came
    std::size_t fields = 0;
    bool expects_continue = false;
};

inline constexpr std::size_t head_fields_max = 100;

/// Where the head ends (past its empty line), 0 while it is not whole, npos when it can never be
/// one: a lone CR or LF, or a first byte that begins no method.
[[nodiscard]] std::size_t head_end(std::string_view received);

/// `head` as found by head_end().
[[nodiscard]] head_verdict check_head(std::string_view head);

}  // namespace workerd
