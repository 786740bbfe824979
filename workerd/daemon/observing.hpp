#pragma once

#include "config/config.hpp"
#include "observe/observability.hpp"

#include <memory>

namespace workerd {

/// What the configuration and the environment (OTEL_*) say of metrics, traces and alerts. Nothing
/// when `metrics.enabled` is false.
[[nodiscard]] std::unique_ptr<observe::observability> make_observability(const config& value,
                                                                         bool dev, logger& log);

}  // namespace workerd
