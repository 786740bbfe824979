#pragma once

#include <libqueue/job.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace qctl {

/// The job one line of a bulk file stands for. `defaults` gives what the line leaves out; a job
/// whose kind is given there takes the whole line as payload. Throws `stop` (usage), without the
/// line's number. Pure.
[[nodiscard]] libqueue::new_job read_bulk_line(std::string_view line,
                                               const libqueue::new_job& defaults);

/// A line without anything but space holds no job.
[[nodiscard]] bool is_blank(std::string_view line) noexcept;

}  // namespace qctl
