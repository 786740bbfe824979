#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array limit_argument{
    argument{"NAME", arity::one, value_type::text, "Name of the limit"}};
inline constexpr std::array limits_list_arguments{
    argument{"NAME", arity::optional, value_type::text, "Only this limit, with all its keys"}};

inline constexpr std::array limits_set_flags{
    flag{.name = "burst",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Tokens of a full bucket (default what comes in one second)",
         .most = 1'000'000},
    flag{.name = "rate",
         .type = value_type::text,
         .metavar = "RATE",
         .doc = "Tokens that come: 5/s, 1000/min, 20/h; 0 for no bucket"},
    flag{.name = "concurrency",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Jobs running at once in all processes; 0 for no such limit",
         .least = 0,
         .most = 1'000'000},
    flag{.name = "key",
         .type = value_type::text,
         .metavar = "FIELD",
         .doc = "One bucket per tenant, limit_key, or meta.FIELD; empty for one bucket"},
    flag{.name = "parent",
         .type = value_type::text,
         .metavar = "LIMIT",
         .doc = "The limit above, which holds for these jobs too; empty for none"},
    flag{.name = "breaker-percent",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Open the circuit when so many of 100 requests fail; 0 for no breaker",
         .least = 0,
         .most = 100},
    flag{.name = "breaker-requests",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Fewer requests in a window open nothing (default 5)",
         .most = 1'000'000},
    flag{.name = "breaker-window",
         .type = value_type::duration,
         .metavar = "TIME",
         .doc = "How long a request counts (default 60s)"},
    flag{.name = "breaker-cooldown",
         .type = value_type::duration,
         .metavar = "TIME",
         .doc = "From opening to the probe (default 30s)"},
    flag{.name = "unpin", .doc = "Let the configuration of the next worker that starts count"},
};
inline constexpr std::array limits_reset_flags{
    flag{.name = "key",
         .type = value_type::text,
         .metavar = "KEY",
         .doc = "Only the bucket of this key"},
};
inline constexpr std::array limits_close_flags{
    flag{.name = "for",
         .type = value_type::duration,
         .metavar = "TIME",
         .doc = "So long (default 30s, at most 30d)"},
    flag{.name = "key",
         .type = value_type::text,
         .metavar = "KEY",
         .doc = "Only what has this key; needed for a limit with a key"},
    flag{.name = "reason",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Shown to whoever asks why jobs wait"},
};
inline constexpr std::array limits_stop_flags{
    flag{.name = "reason",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Shown to whoever asks why jobs wait"},
};

inline constexpr std::array<std::string_view, 2> limits_list_examples{
    "qctl limits list", "qctl limits list stripe -o json"};
inline constexpr std::array<std::string_view, 2> limits_set_examples{
    "qctl limits set stripe --burst 25 --rate 5/s --concurrency 10",
    "qctl limits set email --rate 20/h --key meta.user"};
inline constexpr std::array<std::string_view, 1> limits_close_examples{
    "qctl limits close stripe --for 5m --reason 'they said so by phone'"};
inline constexpr std::array<std::string_view, 1> limits_reset_examples{
    "qctl limits reset email --key user-7"};
inline constexpr std::array<std::string_view, 1> limits_stop_examples{
    "qctl limits stop stripe --reason 'double charges' --yes"};
inline constexpr std::array<std::string_view, 1> limits_resume_examples{
    "qctl limits resume stripe"};

inline constexpr std::array limits_commands{
    command{.id = verb::limits_list,
            .group = "limits",
            .name = "list",
            .summary = "List limits with what is left of them",
            .arguments = limits_list_arguments,
            .examples = limits_list_examples,
            .columns =
                "name,key,parent,burst,rate,concurrency,tokens,next_token_at,running,stopped,"
                "closed_until,circuit,probe_at"},
    command{.id = verb::limits_set,
            .group = "limits",
            .name = "set",
            .summary = "Define or change a limit for all processes at once",
            .doc = "What is not said stays as it is. Workers that start later leave the limit so, "
                   "until --unpin.",
            .arguments = limit_argument,
            .flags = limits_set_flags,
            .examples = limits_set_examples,
            .risk = danger::mild},
    command{.id = verb::limits_reset,
            .group = "limits",
            .name = "reset",
            .summary = "Fill the buckets of a limit, end what it is closed for, close its circuit",
            .doc = "Jobs that run go on holding their slots; jobs that have a slot in the future "
                   "keep it.",
            .arguments = limit_argument,
            .flags = limits_reset_flags,
            .examples = limits_reset_examples,
            .risk = danger::mild},
    command{.id = verb::limits_close,
            .group = "limits",
            .name = "close",
            .summary = "Start nothing under a limit for a time, anywhere",
            .doc =
                "What a Retry-After of the provider does by itself. Jobs wait in line and use up "
                "no attempt. limits reset ends it early.",
            .arguments = limit_argument,
            .flags = limits_close_flags,
            .examples = limits_close_examples,
            .risk = danger::mild},
    command{.id = verb::limits_stop,
            .group = "limits",
            .name = "stop",
            .summary = "Start nothing under a limit, anywhere; running jobs finish",
            .doc = "The emergency stop. Jobs wait in line and use up no attempt.",
            .arguments = limit_argument,
            .flags = limits_stop_flags,
            .examples = limits_stop_examples,
            .risk = danger::moderate},
    command{.id = verb::limits_resume,
            .group = "limits",
            .name = "resume",
            .summary = "Start jobs under a stopped limit again",
            .arguments = limit_argument,
            .examples = limits_resume_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
