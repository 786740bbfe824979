#pragma once

#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>

namespace qctl {

/// One job under the column names of the view queue.jobs.
[[nodiscard]] libqueue::report job_row(const libqueue::job_info& job);

/// Completed, cancelled and dead are the ends of a job.
[[nodiscard]] bool has_ended(libqueue::job_state state) noexcept;

}  // namespace qctl
