#pragma once

#include <libqueue/operations.hpp>

#include <string>

// The filters of lists in the grammar the API and the dashboard share. Pure.

namespace qctl {

[[nodiscard]] std::string filter_text(const libqueue::job_filter& of);
[[nodiscard]] std::string filter_text(const libqueue::dead_letter_filter& of);

}  // namespace qctl
