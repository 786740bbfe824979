#pragma once

#include "stop.hpp"

#include <libqueue/error.hpp>

#include <string>

namespace qctl {

[[nodiscard]] exit_code exit_for(libqueue::errc code) noexcept;

/// What the library says, with the exit code scripts expect. `where` names the thing when several
/// were given ("line 7", "job 42").
[[nodiscard]] stop to_stop(const libqueue::error& why, const std::string& where = {});
[[nodiscard]] stop to_stop(const libqueue::failure& why);

}  // namespace qctl
