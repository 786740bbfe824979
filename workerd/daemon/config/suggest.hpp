#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace workerd {

/// The candidate closest to what was typed, if it is close enough to be a plausible slip: at most
/// one edit for every three letters, an exchange of two neighbours counting as one.
[[nodiscard]] std::optional<std::string> suggest(std::string_view typed,
                                                 std::span<const std::string> candidates);

}  // namespace workerd
