#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array schedule_argument{
    argument{"NAME", arity::one, value_type::text, "Name of the schedule"}};
inline constexpr std::array optional_schedule_argument{
    argument{"NAME", arity::optional, value_type::text, "Name of the schedule, without --cron"}};
inline constexpr std::array schedules_set_arguments{
    argument{"NAME", arity::one, value_type::text, "Name of the schedule"},
    argument{"CRON", arity::one, value_type::text,
             "Expression in quotes: '30 2 * * *', @daily, '@every 90s'"},
    argument{"KIND", arity::one, value_type::text, "Kind of the jobs"},
    argument{"PAYLOAD", arity::optional, value_type::text,
             "JSON, @FILE, or - for stdin (default {})"},
};

inline constexpr flag schedule_tenant_flag{.name = "tenant",
                                           .type = value_type::uuid,
                                           .metavar = "UUID",
                                           .doc = "Tenant the schedule belongs to"};
inline constexpr std::array schedule_flags{schedule_tenant_flag};
inline constexpr std::array schedules_list_flags{
    flag{.name = "name",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "Of this name, or of all that begin so: reports.*"},
    flag{.name = "kind",
         .type = value_type::text,
         .metavar = "KIND",
         .doc = "Of this kind, or of all that begin so: email.*"},
    flag{.name = "tenant", .type = value_type::uuid, .metavar = "UUID", .doc = "Of this tenant"},
    flag{.name = "after",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Made after this one: the next page"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 1000)",
         .least = 1,
         .most = 10000},
};
inline constexpr std::array schedules_show_flags{
    schedule_tenant_flag,
    flag{.name = "runs",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "With its latest N runs",
         .least = 1,
         .most = 150},
};
inline constexpr std::array schedules_next_flags{
    schedule_tenant_flag,
    flag{.name = "count",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "So many (default 5)",
         .least = 1,
         .most = 1000},
    flag{.name = "cron",
         .type = value_type::text,
         .metavar = "CRON",
         .doc = "Of this expression, in the zone of --tz (default UTC), not of a schedule"},
};
inline constexpr std::array schedules_set_flags{
    schedule_tenant_flag,
    flag{.name = "misfire",
         .type = value_type::text,
         .metavar = "POLICY",
         .doc = "Slots nobody fired: skip, collapse or backfill(N) (default collapse)"},
    flag{.name = "grace",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "How late a slot is still on time (default 1m)"},
    flag{.name = "no-overlap", .doc = "Pass over slots while the last job is not finished"},
    flag{.name = "queue", .type = value_type::text, .metavar = "QUEUE", .doc = "Queue of the jobs"},
    flag{.name = "priority",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Lower runs first (default: the kind's, else 5)",
         .least = -32768,
         .most = 32767},
    flag{.name = "max-attempts",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Attempts before a job is a dead letter",
         .least = 1,
         .most = 1000},
};

inline constexpr std::array<std::string_view, 2> schedules_list_examples{
    "qctl schedules list", "qctl schedules list --name 'reports.*' -o json"};
inline constexpr std::array<std::string_view, 1> schedules_show_examples{
    "qctl schedules show reports.daily --runs 10"};
inline constexpr std::array<std::string_view, 2> schedules_next_examples{
    "qctl schedules next reports.daily --count 10",
    "qctl schedules next --cron '0 9 LW * ?' --tz Europe/Berlin"};
inline constexpr std::array<std::string_view, 2> schedules_set_examples{
    "qctl schedules set reports.daily '30 2 * * *' report.build '{\"scope\":\"all\"}' "
    "--tz Europe/Berlin",
    "qctl schedules set carts.expire '@every 90s' cart.expire --no-overlap"};
inline constexpr std::array<std::string_view, 1> schedules_remove_examples{
    "qctl schedules remove reports.daily --yes"};
inline constexpr std::array<std::string_view, 1> schedules_pause_examples{
    "qctl schedules pause reports.daily --yes"};
inline constexpr std::array<std::string_view, 1> schedules_resume_examples{
    "qctl schedules resume reports.daily"};
inline constexpr std::array<std::string_view, 1> schedules_run_examples{
    "qctl schedules run reports.daily"};

inline constexpr std::array schedules_commands{
    command{.id = verb::schedules_list,
            .group = "schedules",
            .name = "list",
            .summary = "List schedules with their next and last firing",
            .flags = schedules_list_flags,
            .examples = schedules_list_examples,
            .columns = "name,cron,timezone,kind,paused,next_at,last_slot,lateness_ms,last_outcome,"
                       "error"},
    command{.id = verb::schedules_show,
            .group = "schedules",
            .name = "show",
            .summary = "Everything about one schedule",
            .arguments = schedule_argument,
            .flags = schedules_show_flags,
            .examples = schedules_show_examples},
    command{.id = verb::schedules_next,
            .group = "schedules",
            .name = "next",
            .summary = "When a schedule, or an expression, will fire",
            .doc = "Of a paused schedule: when it would.",
            .arguments = optional_schedule_argument,
            .flags = schedules_next_flags,
            .examples = schedules_next_examples},
    command{.id = verb::schedules_set,
            .group = "schedules",
            .name = "set",
            .summary = "Make a schedule, or change the one of that name",
            .doc = "--tz is the zone of the expression here (default UTC), and times are shown in "
                   "it. What is not given is the default, also of one that is changed. Another "
                   "expression or zone counts from now on; a schedule set as it was loses no "
                   "slot, and one that is paused stays so. docs/schedules.md has the "
                   "expressions.",
            .arguments = schedules_set_arguments,
            .flags = schedules_set_flags,
            .examples = schedules_set_examples,
            .risk = danger::mild},
    command{.id = verb::schedules_remove,
            .group = "schedules",
            .name = "remove",
            .summary = "Remove a schedule and its history; its jobs stay",
            .arguments = schedule_argument,
            .flags = schedule_flags,
            .examples = schedules_remove_examples,
            .risk = danger::moderate},
    command{.id = verb::schedules_pause,
            .group = "schedules",
            .name = "pause",
            .summary = "Stop firing a schedule",
            .arguments = schedule_argument,
            .flags = schedule_flags,
            .examples = schedules_pause_examples,
            .risk = danger::moderate},
    command{.id = verb::schedules_resume,
            .group = "schedules",
            .name = "resume",
            .summary = "Fire a schedule again, from its next slot on",
            .arguments = schedule_argument,
            .flags = schedule_flags,
            .examples = schedules_resume_examples,
            .risk = danger::mild},
    command{.id = verb::schedules_run,
            .group = "schedules",
            .name = "run",
            .summary = "Enqueue one job of a schedule now, paused or not",
            .doc = "Exit 5 when the schedule forbids overlap and its last job is not finished.",
            .arguments = schedule_argument,
            .flags = schedule_flags,
            .examples = schedules_run_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
