#pragma once

#include "config/config.hpp"

#include <string_view>

namespace workerd {

/// The settings a kind has when the configuration says nothing: from the table in
/// kind_defaults.cpp, by exact name or by prefix.
[[nodiscard]] kind_config kind_defaults(std::string_view kind);

/// `set` where it is set, `standard` elsewhere.
[[nodiscard]] kind_config overlay(const kind_config& set, const kind_config& standard);

/// The defaults as a Markdown table, for the reference.
[[nodiscard]] std::string kind_defaults_table();

}  // namespace workerd
