#pragma once

#include <string>
#include <string_view>

namespace qctl {

/// The argument itself, or the content of the file after `@`, or stdin for `-`. Throws `stop`
/// (usage) when it cannot be read.
[[nodiscard]] std::string read_payload(std::string_view argument, std::string_view where);

}  // namespace qctl
