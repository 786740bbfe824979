#pragma once

#include "render.hpp"

#include <optional>
#include <string>

namespace qctl {

/// Aligned columns under a header.
[[nodiscard]] std::string table_text(const libqueue::report& of, const view& how);

/// `name  value` lines of the first row.
[[nodiscard]] std::string vertical_text(const libqueue::report& of, const view& how);

/// A cell for programs: times as ISO 8601 in UTC, booleans as true and false, the rest as it is.
[[nodiscard]] std::string plain_cell(libqueue::column_type type, const std::string& cell);

}  // namespace qctl
