#pragma once

#include <string>

namespace workerd {

/// docs/configuration.md, made from the option table. A test compares it with the file.
[[nodiscard]] std::string configuration_reference();

/// workerd.example.yaml, made from the option table: every option, those without default commented
/// out.
[[nodiscard]] std::string configuration_example();

}  // namespace workerd
