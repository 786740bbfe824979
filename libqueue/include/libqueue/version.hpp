#pragma once

#include <string_view>

namespace libqueue {

/// Semantic version of the library that was compiled in.
inline constexpr std::string_view version{"0.1.0"};

}  // namespace libqueue
