#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array groups{
    command_group{"jobs", "Look at jobs and act on them"},
    command_group{"dlq", "Dead letters: jobs that used up their attempts"},
    command_group{"queues", "Look at queues, pause and empty them"},
    command_group{"limits", "Limits on the outside world: look, change, stop"},
    command_group{"schedules", "Jobs that recur"},
    command_group{"batches", "Many jobs under one id: count, wait for, cancel"},
    command_group{"topics", "Events, and who hears them"},
    command_group{"archive", "Jobs that outlived their retention"},
    command_group{"keys", "Keys of encrypted kinds"},
    command_group{"tokens", "API tokens"},
    command_group{"tenants", "Tenants, whose data is kept apart"},
    command_group{"audit", "What people did"},
    command_group{"roles", "Roles of the database"},
    command_group{"workers", "Processes that run jobs"},
    command_group{"kinds", "Kinds of jobs"},
    command_group{"migrate", "The database schema"},
    command_group{"config", "The configuration of workerd"},
    command_group{"context", "Servers and databases by name"},
};

inline constexpr std::array global_flags{
    flag{.name = "output",
         .letter = 'o',
         .type = value_type::format,
         .metavar = "FORMAT",
         .doc = "table, wide, json, jsonl, yaml, csv or id (default table)"},
    flag{.name = "columns",
         .type = value_type::text,
         .metavar = "A,B",
         .doc = "Print these columns, in this order"},
    flag{.name = "no-headers", .doc = "Leave out the header line of table and csv"},
    flag{.name = "quiet", .letter = 'q', .doc = "No messages on stderr but errors"},
    flag{.name = "verbose", .letter = 'v', .doc = "More messages on stderr"},
    flag{.name = "color",
         .type = value_type::when,
         .metavar = "WHEN",
         .doc = "auto, always or never; NO_COLOR and TERM=dumb mean never"},
    flag{.name = "no-color", .doc = "Same as --color=never"},
    flag{.name = "no-input", .doc = "Never ask; a verb that would have to ask is refused"},
    flag{.name = "yes", .letter = 'y', .doc = "Answer y to a y/N question"},
    flag{.name = "confirm",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Type this where a severe verb asks for a name"},
    flag{.name = "dry-run", .letter = 'n', .doc = "Show what would be done, change nothing"},
    flag{
        .name = "timeout",
        .type = value_type::duration,
        .metavar = "DUR",
        .doc = "Longest time for one statement (default 10s); for a verb that waits, for the wait"},
    flag{.name = "db",
         .type = value_type::text,
         .metavar = "DSN",
         .doc = "Database, as libpq string or URI (default: QCTL_DB, DATABASE_URL, PG*, the "
                "context in use)"},
    flag{.name = "server",
         .type = value_type::text,
         .metavar = "URL",
         .doc = "Ask the API of this workerd instead of a database (default: QCTL_SERVER)"},
    flag{.name = "token-file",
         .type = value_type::text,
         .metavar = "FILE",
         .doc = "File with the API token (default: QCTL_TOKEN_FILE)"},
    flag{.name = "context",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "Server or database of this name; see qctl context"},
    flag{.name = "dev", .doc = "The database of the workerd --dev that runs on this machine"},
    flag{.name = "schema",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "Schema the queue is installed in (default queue)"},
    flag{.name = "debug", .doc = "Print the operation and the connection, secrets masked"},
    flag{.name = "help", .letter = 'h', .doc = "Help for the command"},
};

}  // namespace qctl::table
