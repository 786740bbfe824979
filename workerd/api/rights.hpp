#pragma once

#include <libqueue/principal.hpp>

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace workerd::api {

/// Something a person may do. Every route names one.
struct right {
    std::string_view name;
    libqueue::role least;  ///< this role and those above have it
    std::string_view doc;
    /// Touches what all tenants share: not for somebody who is bound to one.
    bool shared = false;
};

[[nodiscard]] std::span<const right> all_rights();
/// Null when there is none of that name.
[[nodiscard]] const right* find_right(std::string_view name);

/// Has this principal the right? `extra` are rights the configuration gives to operators beyond the
/// table
/// (`http.auth.operator_rights`).
[[nodiscard]] bool has_right(const libqueue::principal& who, std::string_view name,
                             const std::set<std::string, std::less<>>& extra);

/// All a principal has, in the order of the table.
[[nodiscard]] std::vector<std::string> rights_of(const libqueue::principal& who,
                                                 const std::set<std::string, std::less<>>& extra);

}  // namespace workerd::api
