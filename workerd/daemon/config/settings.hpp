#pragma once

#include "config/fault.hpp"
#include "config/option.hpp"

#include <map>
#include <string>

namespace workerd {

/// One option's value and where it came from.
struct setting {
    const option* row = nullptr;
    /// What stands in place of `*`.
    std::string name;
    origin where;
    option_value value;
};

/// By full path, "queues.default.concurrency".
using settings_map = std::map<std::string, setting>;

}  // namespace workerd
