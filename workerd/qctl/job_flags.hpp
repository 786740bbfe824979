#pragma once

#include "invocation.hpp"

#include <libqueue/job.hpp>

namespace qctl {

/// The job that the flags of `enqueue` describe; its kind is the first argument or empty, its
/// payload an empty object. Throws `stop` (usage).
[[nodiscard]] libqueue::new_job job_from_flags(const invocation& call);

}  // namespace qctl
