#pragma once

#include "config/config.hpp"
#include "config/fault.hpp"

#include <libqueue/worker.hpp>

#include <vector>

namespace workerd {

/// The kinds this process handles, by the processors the configuration turns on, each with the
/// options of the configuration over the defaults of its kind; beside them `more`. What a processor
/// refuses and kinds that are configured but handled by nobody are added to `faults`.
[[nodiscard]] std::vector<libqueue::registration> make_registry(
    const config& value, std::vector<config_fault>& faults,
    const std::vector<libqueue::registration>& more = {});

/// The worker's options but for the observer.
[[nodiscard]] libqueue::worker_options make_worker_options(const config& value);

/// The connection string with the timeouts of the configuration in it.
[[nodiscard]] std::string complete_dsn(const config& value, const std::string& dsn);

}  // namespace workerd
