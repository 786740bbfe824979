#pragma once

#include <string_view>

// What an SQLSTATE means for the connection and the work it answered. Pure.

namespace libqueue::pg {

/// The connection must not be used again after this error.
[[nodiscard]] bool breaks_connection(std::string_view sqlstate) noexcept;

/// Whether an error of this state, in answer to a COMMIT or an autocommit statement, proves that
/// nothing was committed. Empty: the server said nothing.
[[nodiscard]] bool tells_outcome(std::string_view sqlstate) noexcept;

}  // namespace libqueue::pg
