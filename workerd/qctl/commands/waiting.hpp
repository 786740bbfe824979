#pragma once

#include "stop.hpp"

#include <libqueue/job.hpp>

#include <chrono>
#include <optional>

namespace qctl {

inline constexpr std::chrono::milliseconds default_wait{30'000};

/// What keeps the wait from being a success: timed out (7) or ended other than completed (1).
[[nodiscard]] std::optional<stop> wait_fault(const libqueue::job_info& job,
                                             std::chrono::milliseconds limit);

}  // namespace qctl
