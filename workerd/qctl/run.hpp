#pragma once

#include "exit_code.hpp"

#include <string>
#include <vector>

namespace qctl {

/// The whole program but for the process: arguments without the program's name. Everything that
/// ends a verb early is caught here and nowhere else.
[[nodiscard]] exit_code run(const std::vector<std::string>& arguments);

}  // namespace qctl
