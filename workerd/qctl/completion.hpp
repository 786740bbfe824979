#pragma once

#include <optional>
#include <string>
#include <string_view>

// Scripts that complete qctl's command line, made from the command table. Pure.

namespace qctl {

/// For bash, zsh or fish; nothing for any other. The scripts need nothing but the shell itself.
[[nodiscard]] std::optional<std::string> completion_script(std::string_view shell);

}  // namespace qctl
