#pragma once

#include <string>
#include <vector>

namespace libqueue::processors {

/// The text of a `text[]` parameter.
[[nodiscard]] std::string text_array(const std::vector<std::string>& texts);

}  // namespace libqueue::processors
