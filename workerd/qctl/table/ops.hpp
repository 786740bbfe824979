#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array filter_argument{
    argument{"FILTER", arity::any, value_type::text,
             "As state:dead 'kind:email.*' 'age:>10m'; see docs/filters.md"}};
inline constexpr std::array operation_id_argument{
    argument{"ID", arity::one, value_type::integer, "Operation"}};
inline constexpr std::array ops_run_arguments{
    argument{"ACTION", arity::one, value_type::text, "retry, cancel, replay, discard or purge"},
    argument{"FILTER", arity::any, value_type::text, "Which jobs; at least one term"}};

inline constexpr std::array ops_run_flags{
    flag{.name = "rate",
         .type = value_type::rate,
         .metavar = "N/s",
         .doc = "At most so many: 50/s, 10/m (default: as fast as others are not disturbed)"},
    flag{.name = "reason",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Kept as the error of cancelled jobs"},
    flag{.name = "undo",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "Begin only then; until then ops cancel undoes all (default 10s)"},
    flag{.name = "follow", .letter = 'f', .doc = "Stay until it has ended; exit 1 if some failed"},
};
inline constexpr std::array ops_list_flags{
    flag{.name = "unfinished", .doc = "Only those that have not ended"},
    flag{.name = "before",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Below this id: the next page"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 50)",
         .least = 1,
         .most = 10000},
};
inline constexpr std::array ops_show_flags{
    flag{.name = "follow", .letter = 'f', .doc = "Stay until it has ended; exit 1 if some failed"},
};

inline constexpr std::array<std::string_view, 3> ops_run_examples{
    "qctl ops run replay fingerprint:9f86d081884c7d65 --rate 50/s --yes -f",
    "qctl ops run cancel 'queue:mail state:scheduled' -n",
    "qctl ops run discard 'died:..2026-08-01' --confirm discard",
};
inline constexpr std::array<std::string_view, 1> ops_list_examples{"qctl ops list --unfinished"};
inline constexpr std::array<std::string_view, 1> ops_show_examples{"qctl ops show 7 -f"};
inline constexpr std::array<std::string_view, 1> ops_cancel_examples{"qctl ops cancel 7"};

inline constexpr std::array ops_commands{
    command{.id = verb::ops_run,
            .group = "ops",
            .name = "run",
            .summary = "Do something to every job that matches, in the background",
            .doc = "Workers do it, in steps; whoever started it need not stay. replay and discard "
                   "are about dead letters, cancel and purge about what waits (cancel also asks "
                   "what runs to stop), retry needs a state: in its filter. With -n it only "
                   "counts. docs/bulk-operations.md has what is promised.",
            .arguments = ops_run_arguments,
            .flags = ops_run_flags,
            .examples = ops_run_examples,
            .risk = danger::severe},
    command{.id = verb::ops_list,
            .group = "ops",
            .name = "list",
            .summary = "List bulk operations, newest first",
            .flags = ops_list_flags,
            .examples = ops_list_examples,
            .columns = "id,action,filter,state,matched,done,skipped,failed,actor,created_at"},
    command{.id = verb::ops_show,
            .group = "ops",
            .name = "show",
            .summary = "One bulk operation and how far it is",
            .arguments = operation_id_argument,
            .flags = ops_show_flags,
            .examples = ops_show_examples},
    command{.id = verb::ops_cancel,
            .group = "ops",
            .name = "cancel",
            .summary = "End a bulk operation; what is done stays done",
            .arguments = operation_id_argument,
            .examples = ops_cancel_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
