#pragma once

#include "config/settings.hpp"
#include "config/yaml_tree.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace workerd {

/// Settings while their sources are laid over each other, later ones on top.
struct collected_settings {
    settings_map settings;
    /// Sections that were written, also empty ones: "queues.default", "processors.email".
    std::map<std::string, origin> sections;
    std::vector<config_fault> faults;
};

/// Adds what a configuration file says. Unknown keys, wrong shapes and wrong values become faults.
void collect_document(const yaml_node& root, collected_settings& into);

/// Adds WORKERD_A__B=value variables. A variable without "__" is not ours (Kubernetes invents
/// WORKERD_PORT and the like), unless it is an option written with one underscore.
void collect_environment(const std::vector<std::pair<std::string, std::string>>& variables,
                         collected_settings& into);

/// Adds one setting by its dotted path; `source` names the flag or variable it came from.
void collect_text(std::string_view path, std::string_view text, const std::string& source,
                  collected_settings& into);

/// Adds the defaults of what is unset, for every section that always exists or was written, and
/// reports what is required and missing.
void collect_defaults(collected_settings& into);

/// The option a full path belongs to, and what stands in place of `*`; row is null when none.
[[nodiscard]] std::pair<const option*, std::string> match_option(std::string_view path);

}  // namespace workerd
