#pragma once

#include <string>

namespace workerd {

/// JSON Schema, draft-07 (the latest that editors' YAML servers read), of the configuration file,
/// made from the option table. It knows names, types, choices and limits of whole numbers; what
/// options mean to each other only `workerd --check-config` knows.
[[nodiscard]] std::string configuration_schema();

}  // namespace workerd
