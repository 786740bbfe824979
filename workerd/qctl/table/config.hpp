#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array config_file_argument{
    argument{"FILE", arity::one, value_type::text, "Configuration of workerd (YAML)"}};
inline constexpr std::array optional_config_file_argument{
    argument{"FILE", arity::optional, value_type::text,
             "Configuration of workerd (YAML); nothing: defaults and environment alone, or with "
             "--server those of the running workerd"}};
inline constexpr std::array config_init_argument{
    argument{"FILE", arity::optional, value_type::text,
             "File to make, which must not be there (default: stdout)"}};

inline constexpr std::array config_validate_flags{
    flag{.name = "no-environment", .doc = "Leave WORKERD_* and DATABASE_URL out of it"},
};
inline constexpr std::array config_show_flags{
    flag{.name = "effective", .doc = "With the defaults of what is not set"},
    flag{.name = "sources", .doc = "With the place each value comes from"},
    flag{.name = "no-environment", .doc = "Leave WORKERD_* and DATABASE_URL out of it"},
};
inline constexpr std::array config_init_flags{
    flag{.name = "for-dev", .doc = "The few lines of a workerd --dev instead of every option"},
};
inline constexpr std::array man_flags{
    flag{.name = "dir",
         .type = value_type::text,
         .metavar = "DIR",
         .doc = "Write all pages into this folder (default: that of qctl to stdout)"},
};
inline constexpr std::array top_flags{
    flag{.name = "once", .doc = "Print one frame as text and leave; so it is without a terminal"},
    flag{.name = "interval",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "Time between two frames (default 2s, at least 200ms)"},
    flag{.name = "sort",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "worst (default), name, ready, running, dead, oldest or rate"},
    flag{.name = "filter",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Only queues whose name contains this text"},
};

inline constexpr std::array<std::string_view, 1> config_validate_examples{
    "qctl config validate /etc/workerd/workerd.yaml"};
inline constexpr std::array<std::string_view, 2> config_show_examples{
    "qctl config show /etc/workerd/workerd.yaml --effective --sources",
    "qctl --context prod config show --effective"};
inline constexpr std::array<std::string_view, 1> config_schema_examples{
    "qctl config schema > workerd.schema.json"};
inline constexpr std::array<std::string_view, 1> config_init_examples{
    "qctl config init /etc/workerd/workerd.yaml"};
inline constexpr std::array<std::string_view, 2> top_examples{"qctl top",
                                                              "qctl top --once --sort dead"};
inline constexpr std::array<std::string_view, 2> man_examples{"qctl man --dir /usr/share/man/man1",
                                                              "qctl man | man -l -"};

inline constexpr std::array top_commands{
    command{.id = verb::top,
            .name = "top",
            .summary = "Watch queues, workers and failures, full screen",
            .doc = "Keys: q leaves, p pauses, s and S choose the order, / filters, arrows, PgUp "
                   "and PgDn move, r looks now, ? helps. The terminal is put back as it was "
                   "however it ends.",
            .flags = top_flags,
            .examples = top_examples},
};

inline constexpr std::array config_commands{
    command{.id = verb::config_validate,
            .group = "config",
            .name = "validate",
            .summary = "Everything wrong with a configuration, each with its place and cure",
            .doc = "What workerd --check-config finds. Exit 6 when workerd would refuse it; "
                   "warnings alone do not count. The files of secrets are looked at, never shown.",
            .arguments = config_file_argument,
            .flags = config_validate_flags,
            .examples = config_validate_examples},
    command{.id = verb::config_show,
            .group = "config",
            .name = "show",
            .summary = "The values a configuration comes to",
            .doc = "Files, then environment, the stronger on top. Passwords in connection strings "
                   "are ***; secrets stand in files, of which only the path is shown.",
            .arguments = optional_config_file_argument,
            .flags = config_show_flags,
            .examples = config_show_examples},
    command{.id = verb::config_schema,
            .group = "config",
            .name = "schema",
            .summary = "JSON Schema (draft-07) of the configuration, for editors",
            .examples = config_schema_examples},
    command{.id = verb::config_init,
            .group = "config",
            .name = "init",
            .summary = "Write a commented configuration with every option",
            .arguments = config_init_argument,
            .flags = config_init_flags,
            .examples = config_init_examples},
};

inline constexpr std::array man_commands{
    command{.id = verb::man,
            .name = "man",
            .summary = "Write the manual pages (roff)",
            .doc = "One page for qctl and one for each command, made from the same table as "
                   "--help.",
            .flags = man_flags,
            .examples = man_examples},
};

}  // namespace qctl::table
