#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array workflow_argument{
    argument{"ID", arity::one, value_type::integer, "Any job of it"}};
inline constexpr std::array<std::string_view, 2> workflows_show_examples{
    "qctl workflows show 42", "qctl workflows show 42 -o json"};

inline constexpr std::array workflows_commands{
    command{.id = verb::workflows_show,
            .group = "workflows",
            .name = "show",
            .summary = "Draw the jobs that one is a part of: what follows from what",
            .doc = "From the first of its chain on, at most 200. Programs get the rows of jobs "
                   "lineage.",
            .arguments = workflow_argument,
            .examples = workflows_show_examples},
};

}  // namespace qctl::table
