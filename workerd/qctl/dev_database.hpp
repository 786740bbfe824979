#pragma once

#include "settings.hpp"

#include <filesystem>
#include <string>

namespace qctl {

/// Where `workerd --dev` keeps its data unless told otherwise; must agree with it. Throws `stop`
/// (usage) when the environment does not say where home is.
[[nodiscard]] std::filesystem::path dev_folder(const environment& around);

/// The connection string that the running `workerd --dev` left for us. Throws `stop` (unreachable)
/// when there is none.
[[nodiscard]] std::string dev_database(const environment& around);

}  // namespace qctl
