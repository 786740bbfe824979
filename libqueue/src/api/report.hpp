#pragma once

#include "pg/result.hpp"

#include <libqueue/operations.hpp>

#include <cstddef>
#include <vector>

namespace libqueue::api {

/// Columns typed by what PostgreSQL says they are.
[[nodiscard]] report make_report(const pg::result& from);

/// Reports of equal columns, the first of them `id`, as one: newest first, each id once (a job that
/// moved between two of the statements keeps its later row), at most `limit` rows.
[[nodiscard]] report merge_by_id(std::vector<report> parts, std::size_t limit);

}  // namespace libqueue::api
