#pragma once

#include "config/config.hpp"
#include "config/fault.hpp"

#include <map>
#include <string>
#include <vector>

namespace workerd {

/// What the checks need to know beside the configuration itself.
struct check_surroundings {
    bool has_libpq_environment = false;
    bool dev = false;
    /// Named when the fault is that something was not written at all.
    std::string file;
    std::map<std::string, origin> sections;
};

/// Faults that concern more than one option. Runs even when single options are wrong, so that a
/// reader gets the whole list; options that failed their own check hold their default or nothing.
void check_config(const config& value, const check_surroundings& around,
                  std::vector<config_fault>& faults);

}  // namespace workerd
