#pragma once

#include "world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace simulation {

/// Many seeds in a row, up to the first that breaks a promise.
class campaign_result {
   public:
    std::uint64_t seeds{0};
    std::optional<violation> broken;
    std::uint64_t broken_seed{0};
    tally counts;
    std::vector<std::string> events;  ///< of the broken seed, the last ones
};

[[nodiscard]] report world_run(const settings& how);
[[nodiscard]] campaign_result campaign(std::uint64_t from, std::uint64_t seeds, planted_bug bug);
/// For people: the counts, or what broke, how to replay it and the last events.
[[nodiscard]] std::string describe(const campaign_result& result);
[[nodiscard]] std::optional<planted_bug> find_bug(std::string_view name);
[[nodiscard]] std::string_view name_of(planted_bug bug);

}  // namespace simulation
