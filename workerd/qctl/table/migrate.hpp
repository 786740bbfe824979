#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array migrate_up_flags{
    flag{.name = "show-sql",
         .doc = "With -n: print the SQL instead of the list, if any is pending"},
};
inline constexpr std::array migrate_adopt_flags{
    flag{.name = "name",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "Name the installation; workerd's database.installation asks for it"},
};
inline constexpr std::array help_arguments{
    argument{"TOPIC", arity::any, value_type::text,
             "A command, or: exit-codes, output, connection, danger, environment, bulk"},
};

inline constexpr std::array<std::string_view, 1> migrate_status_examples{"qctl migrate status"};
inline constexpr std::array<std::string_view, 2> migrate_up_examples{
    "qctl migrate up", "qctl migrate up -n --show-sql"};
inline constexpr std::array<std::string_view, 1> migrate_verify_examples{"qctl migrate verify"};
inline constexpr std::array<std::string_view, 1> migrate_check_examples{
    "qctl migrate check || exit 1    # gate of a deployment"};
inline constexpr std::array<std::string_view, 1> migrate_sql_examples{
    "qctl migrate sql | psql -1 mydb"};
inline constexpr std::array<std::string_view, 2> migrate_adopt_examples{
    "qctl migrate adopt --yes", "qctl migrate adopt --name staging --yes"};
inline constexpr std::array completion_arguments{
    argument{"SHELL", arity::one, value_type::text, "bash, zsh or fish"},
};
inline constexpr std::array<std::string_view, 3> completion_examples{
    "qctl completion bash > /etc/bash_completion.d/qctl",
    "qctl completion zsh > /usr/local/share/zsh/site-functions/_qctl",
    "qctl completion fish > ~/.config/fish/completions/qctl.fish"};
inline constexpr std::array<std::string_view, 1> version_examples{"qctl version -o json"};
inline constexpr std::array<std::string_view, 2> help_examples{"qctl help exit-codes",
                                                               "qctl help jobs list"};

inline constexpr std::array migrate_commands{
    command{.id = verb::migrate_status,
            .group = "migrate",
            .name = "status",
            .summary = "List migrations, applied and pending",
            .examples = migrate_status_examples},
    command{.id = verb::migrate_up,
            .group = "migrate",
            .name = "up",
            .summary = "Apply the pending migrations",
            .doc = "Forward only, each in one transaction under a lock; any number may run at "
                   "once. Connects with QCTL_MIGRATE_DB, when set, for owner rights.",
            .flags = migrate_up_flags,
            .examples = migrate_up_examples,
            .risk = danger::mild},
    command{.id = verb::migrate_verify,
            .group = "migrate",
            .name = "verify",
            .summary = "Compare what was applied with what this build carries",
            .doc = "Exit 6 when an applied migration differs from ours or is unknown to us.",
            .examples = migrate_verify_examples},
    command{.id = verb::migrate_check,
            .group = "migrate",
            .name = "check",
            .summary = "Exit 6 when the schema is behind, newer or altered",
            .examples = migrate_check_examples},
    command{.id = verb::migrate_sql,
            .group = "migrate",
            .name = "sql",
            .summary = "Print the SQL of all migrations, for psql",
            .examples = migrate_sql_examples},
    command{.id = verb::migrate_adopt,
            .group = "migrate",
            .name = "adopt",
            .summary = "Say that this copy of a database is meant to run its jobs",
            .doc = "A restored dump, a copied database and a server after pg_upgrade carry the "
                   "jobs of their origin, and workerd refuses to run them a second time. This "
                   "records where the database is now. Purge first what must not run again.",
            .flags = migrate_adopt_flags,
            .examples = migrate_adopt_examples,
            .risk = danger::moderate},
};

inline constexpr std::array about_commands{
    command{.id = verb::completion,
            .name = "completion",
            .summary = "Print a completion script for a shell",
            .doc = "Completes verbs, flags, the values of flags that have a fixed set, and names "
                   "of queues, kinds, schedules, limits and contexts (asked for when needed, for "
                   "at most half a second). The script is made from the same table as the help.",
            .arguments = completion_arguments,
            .examples = completion_examples},
    command{.id = verb::version,
            .name = "version",
            .summary = "Print the version",
            .examples = version_examples},
    command{.id = verb::help,
            .name = "help",
            .summary = "Help on a command or a topic",
            .arguments = help_arguments,
            .examples = help_examples},
};

}  // namespace qctl::table
