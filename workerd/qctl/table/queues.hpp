#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array queue_argument{
    argument{"QUEUE", arity::one, value_type::text, "Name of the queue"}};

inline constexpr std::array objective_arguments{
    argument{"QUEUE", arity::one, value_type::text, "Name of the queue"},
    argument{"AGE", arity::one, value_type::text, "As 30s, 5m, 2h; none for no objective"}};

inline constexpr std::array queues_pause_flags{
    flag{.name = "reason",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Shown to whoever asks why jobs wait"},
};
inline constexpr std::array queues_drain_flags{
    flag{.name = "wait",
         .type = value_type::optional_duration,
         .metavar = "DUR",
         .doc = "Wait this long at most (default --timeout, else 10m)"},
};

inline constexpr std::array<std::string_view, 1> queues_list_examples{"qctl queues list -o json"};
inline constexpr std::array<std::string_view, 1> queues_show_examples{"qctl queues show default"};
inline constexpr std::array<std::string_view, 1> queues_create_examples{
    "qctl queues create communication"};
inline constexpr std::array<std::string_view, 2> queues_objective_examples{
    "qctl queues objective money 30s", "qctl queues objective money none"};
inline constexpr std::array<std::string_view, 1> queues_pause_examples{
    "qctl queues pause money --reason 'provider is down' --yes"};
inline constexpr std::array<std::string_view, 1> queues_resume_examples{"qctl queues resume money"};
inline constexpr std::array<std::string_view, 1> queues_drain_examples{
    "qctl queues drain background --wait=5m"};
inline constexpr std::array<std::string_view, 2> queues_purge_examples{
    "qctl queues purge background -n", "qctl queues purge background --confirm background"};
inline constexpr std::array<std::string_view, 1> kinds_list_examples{"qctl kinds list"};
inline constexpr std::array<std::string_view, 1> kinds_unhandled_examples{"qctl kinds unhandled"};
inline constexpr std::array series_arguments{
    argument{"METRIC", arity::one, value_type::text, "throughput, failures, wait, run or depth"}};
inline constexpr std::array series_flags{
    flag{.name = "queue",
         .type = value_type::text,
         .metavar = "QUEUE",
         .doc = "Of this queue (default all together)"},
    flag{.name = "from",
         .type = value_type::past,
         .metavar = "TIME",
         .doc = "From then on: 6h ago, or a time (default an hour before --to)"},
    flag{.name = "to",
         .type = value_type::past,
         .metavar = "TIME",
         .doc = "Until then: 1h ago, or a time (default now)"},
    flag{.name = "step",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "One row for so long, whole minutes, 1m to 24h (default 1m)"},
};
inline constexpr std::array<std::string_view, 2> series_examples{
    "qctl stats series throughput", "qctl stats series wait --queue money --from 1d --step 1h"};
inline constexpr std::array<std::string_view, 2> database_examples{"qctl database",
                                                                   "qctl database -o json"};
inline constexpr std::array doctor_flags{
    flag{.name = "older-than",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "A transaction is old after so long (default 5m)"},
};
inline constexpr std::array<std::string_view, 2> doctor_examples{
    "qctl doctor", "qctl doctor -q -o json || exit 1    # gate of a deployment"};
inline constexpr std::array<std::string_view, 1> stats_examples{"qctl stats -o json"};
inline constexpr std::array<std::string_view, 2> maintain_examples{"qctl maintain -n",
                                                                   "qctl maintain"};

inline constexpr std::array queues_commands{
    command{.id = verb::queues_list,
            .group = "queues",
            .name = "list",
            .summary = "List queues with what stands in them",
            .examples = queues_list_examples,
            .columns = "queue,ready,scheduled,retrying,running,dead,oldest_ready_at,paused"},
    command{.id = verb::queues_show,
            .group = "queues",
            .name = "show",
            .summary = "Everything about one queue",
            .arguments = queue_argument,
            .examples = queues_show_examples},
    command{.id = verb::queues_create,
            .group = "queues",
            .name = "create",
            .summary = "Create a queue; one that exists is left as it is",
            .arguments = queue_argument,
            .examples = queues_create_examples,
            .risk = danger::mild},
    command{.id = verb::queues_objective,
            .group = "queues",
            .name = "objective",
            .summary = "How old a waiting job of a queue may get before it is late",
            .doc = "Lists show it and alerts can be made of it; no job is treated otherwise.",
            .arguments = objective_arguments,
            .examples = queues_objective_examples,
            .risk = danger::mild},
    command{.id = verb::queues_pause,
            .group = "queues",
            .name = "pause",
            .summary = "Stop claiming from a queue; running jobs finish",
            .arguments = queue_argument,
            .flags = queues_pause_flags,
            .examples = queues_pause_examples,
            .risk = danger::moderate},
    command{.id = verb::queues_resume,
            .group = "queues",
            .name = "resume",
            .summary = "Claim from a paused queue again",
            .arguments = queue_argument,
            .examples = queues_resume_examples,
            .risk = danger::mild},
    command{.id = verb::queues_drain,
            .group = "queues",
            .name = "drain",
            .summary = "Wait until nothing waits or runs in a queue",
            .doc = "Pauses nothing: stop the producers first, or it may never end. Exit 7 when the "
                   "time was up.",
            .arguments = queue_argument,
            .flags = queues_drain_flags,
            .examples = queues_drain_examples},
    command{.id = verb::queues_purge,
            .group = "queues",
            .name = "purge",
            .summary = "Cancel every waiting job of a queue",
            .doc = "Running jobs are left alone. It asks for the name of the queue, or takes it "
                   "from --confirm.",
            .arguments = queue_argument,
            .examples = queues_purge_examples,
            .risk = danger::severe},
};

inline constexpr std::array sight_commands{
    command{.id = verb::kinds_list,
            .group = "kinds",
            .name = "list",
            .summary = "Kinds that live workers handle",
            .examples = kinds_list_examples},
    command{.id = verb::kinds_unhandled,
            .group = "kinds",
            .name = "unhandled",
            .summary = "Kinds with jobs waiting that no live worker handles",
            .examples = kinds_unhandled_examples},
    command{.id = verb::stats_series,
            .group = "stats",
            .name = "series",
            .summary = "How it was, by the minute, for up to 30 days",
            .doc = "throughput: completed and failed per second. failures: percent of what ended. "
                   "wait and run: p50, p95 and p99 in seconds. depth: jobs by state. At most 2000 "
                   "rows; where nothing is known a field is empty.",
            .arguments = series_arguments,
            .flags = series_flags,
            .examples = series_examples},
    command{.id = verb::stats,
            .name = "stats",
            .summary = "The whole system in figures",
            .doc = "Bytes and dead rows of every table, and who holds the oldest snapshot. When "
                   "the tables suffer it says from what, and what to run.",
            .examples = stats_examples},
    command{.id = verb::database,
            .name = "database",
            .summary = "How the database is: sizes, connections, what holds it up",
            .doc = "One row, then what each table takes. When the tables suffer it says from "
                   "what, and what to run.",
            .examples = database_examples},
};

inline constexpr std::array care_commands{
    command{.id = verb::doctor,
            .name = "doctor",
            .summary = "Look for what keeps jobs from being run, each with its cure",
            .doc = "Connection, rights, schema and drift, durability, copies, clocks, old and "
                   "prepared transactions, replication slots, autovacuum, workers, kinds, queues, "
                   "schedules, "
                   "dead letters, notifications and the connection budget. Changes nothing. "
                   "Exit 6 when it found an error or a warning; notes do not count.",
            .flags = doctor_flags,
            .examples = doctor_examples},
    command{.id = verb::maintain,
            .name = "maintain",
            .summary = "Vacuum and reindex what suffers, such as after a snapshot was held",
            .doc = "Only what needs it: autovacuum does the rest. Nothing is locked against "
                   "workers or producers. A session that holds a snapshot is named and left "
                   "alone: while it does, nothing else helps; exit 6. With -n the commands are "
                   "printed. Takes as long as it takes; --timeout bounds each command.",
            .examples = maintain_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
