#pragma once

#include <libqueue/jobs.hpp>

#include <cstddef>

namespace libqueue::api {

/// Takes the cursors, which are the last column, out of the rows. A last row without id says that
/// the time was up.
[[nodiscard]] found_page make_page(report rows, std::size_t limit);

}  // namespace libqueue::api
