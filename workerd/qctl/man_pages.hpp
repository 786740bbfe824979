#pragma once

#include <string>
#include <vector>

// Manual pages in roff (man macros), made from the command table. Pure.

namespace qctl {

class man_page {
   public:
    std::string name;  ///< of the file: qctl-jobs-list.1
    std::string text;
};

/// qctl.1 first, then one for each command, in the order of the table.
[[nodiscard]] std::vector<man_page> man_pages();

}  // namespace qctl
