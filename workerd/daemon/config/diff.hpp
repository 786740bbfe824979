#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace workerd {

/// One option whose value a reload would change. Values of secrets and connection strings are
/// shown as "***".
struct setting_change {
    std::string path;
    std::string before;
    std::string after;
    bool reloadable = false;
};

/// Whether it is about JWTs. Those take effect as a whole, keys that come and go among them.
[[nodiscard]] bool is_jwt_setting(std::string_view path);

/// What differs between two configurations, in the order of the paths. A queue that comes or goes
/// is a change that needs a restart, whatever its options allow; a key of JWTs is not.
[[nodiscard]] std::vector<setting_change> diff_settings(const settings_map& before,
                                                        const settings_map& after);

}  // namespace workerd
