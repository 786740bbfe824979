#pragma once

#include "auth/jwt.hpp"
#include "config/load.hpp"
#include "logging/logger.hpp"

#include <libqueue/worker.hpp>

#include <memory>

namespace workerd {

/// Reads the configuration again and applies what may change at run time: log level and redacted
/// keys, the concurrency of queues, the drain timeout, the keys for encrypted kinds, all that JWTs
/// are verified by (`jwt` is replaced; null when there are no keys any more). A faulty
/// configuration changes nothing and is reported line by line; settings that need a restart are
/// listed. `current` becomes what is in force: settings that were not applied keep their old value
/// there, so that the next reload lists them again. Returns whether the new configuration was fit
/// for use.
bool reload_config(const config_sources& sources, config& current, libqueue::worker& worker,
                   std::shared_ptr<const api::jwt_verifier>& jwt, logger& log);

}  // namespace workerd
