#pragma once

#include "config/config.hpp"
#include "config/fault.hpp"

#include <memory>
#include <vector>

namespace workerd::api {

class service_calls;

/// The services that the configuration lets call; null when there are none. What is wrong with one
/// is added to `faults`.
[[nodiscard]] std::shared_ptr<service_calls> make_service_calls(const config& value,
                                                                std::vector<config_fault>& faults);

}  // namespace workerd::api
