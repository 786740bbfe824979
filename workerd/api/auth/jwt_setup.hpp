#pragma once

#include "config/config.hpp"
#include "config/fault.hpp"

#include <memory>
#include <vector>

namespace workerd::api {

class jwt_verifier;

/// The verifier the configuration asks for; null without keys. What is wrong with a key is added to
/// `faults`.
[[nodiscard]] std::shared_ptr<const jwt_verifier> make_jwt_verifier(
    const config& value, std::vector<config_fault>& faults);

}  // namespace workerd::api
