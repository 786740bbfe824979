#pragma once

#include "command_table.hpp"
#include "table/ops.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array job_id_argument{argument{"ID", arity::one, value_type::integer, "Job"}};
inline constexpr std::array job_ids_argument{
    argument{"ID", arity::at_least_one, value_type::integer, "Job"}};

inline constexpr std::array jobs_list_flags{
    flag{.name = "state",
         .type = value_type::states,
         .metavar = "A,B",
         .doc = "scheduled, ready, running, retrying, completed, cancelled, dead"},
    flag{.name = "queue", .type = value_type::text, .metavar = "QUEUE", .doc = "In this queue"},
    flag{.name = "kind",
         .type = value_type::text,
         .metavar = "KIND",
         .doc = "Of this kind, or of all that begin so: email.*"},
    flag{.name = "tag", .type = value_type::text, .metavar = "TAG", .doc = "With this tag"},
    flag{.name = "tenant", .type = value_type::uuid, .metavar = "UUID", .doc = "Of this tenant"},
    flag{.name = "since",
         .type = value_type::past,
         .metavar = "TIME",
         .doc = "Created since: 1h ago, or a time"},
    flag{.name = "before",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Older than this job: the next page"},
    flag{.name = "cursor",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "With FILTER: the next page, as the last one said"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 50)",
         .least = 1,
         .most = 10000},
};
inline constexpr std::array jobs_show_flags{
    flag{.name = "attempts", .doc = "With every attempt that was made"},
    flag{.name = "keyring",
         .type = value_type::text,
         .metavar = "DIR",
         .doc = "Open what is sealed with the keys of this directory"},
};
inline constexpr std::array jobs_wait_flags{
    flag{.name = "for",
         .type = value_type::states,
         .metavar = "STATE",
         .doc = "Wait for one of these states instead of the end"},
};
inline constexpr std::array jobs_logs_flags{
    flag{.name = "follow",
         .letter = 'f',
         .doc = "Go on until the job has ended; shows its progress, too"},
    flag{.name = "attempt",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Of this attempt only",
         .least = 1,
         .most = 1000},
    flag{.name = "tail",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Begin with the last so many lines",
         .least = 0,
         .most = 1000000},
};
inline constexpr std::array jobs_resolve_arguments{
    argument{"ID", arity::one, value_type::integer, "Job"},
    argument{"STEP", arity::one, value_type::text, "Step, as jobs effects shows it"},
    argument{"WHAT", arity::one, value_type::text, "happened or not-happened"}};
inline constexpr std::array jobs_resolve_flags{
    flag{.name = "result",
         .type = value_type::text,
         .metavar = "JSON",
         .doc = "What it gave, for the next run"},
};
inline constexpr std::array jobs_cancel_flags{
    flag{.name = "reason", .type = value_type::text, .metavar = "TEXT", .doc = "Kept as the error"},
};

inline constexpr std::array<std::string_view, 4> jobs_list_examples{
    "qctl jobs list 'state:retrying args.user.id:42 age:>10m'",
    "qctl jobs list --state dead,retrying --since 1h",
    "qctl jobs list --kind 'email.*' -o json",
    "qctl jobs list --before 1200 --limit 100",
};
inline constexpr std::array<std::string_view, 2> jobs_show_examples{
    "qctl jobs show 42", "qctl jobs show 42 --attempts -o json"};
inline constexpr std::array<std::string_view, 1> jobs_explain_examples{"qctl jobs explain 42"};
inline constexpr std::array<std::string_view, 2> jobs_wait_examples{
    "qctl jobs wait 42 43 --timeout 1m", "qctl jobs wait 42 --for running"};
inline constexpr std::array<std::string_view, 2> jobs_logs_examples{
    "qctl jobs logs 42 -f", "qctl jobs logs 42 --attempt 2 --tail 20 -o jsonl"};
inline constexpr std::array<std::string_view, 1> jobs_effects_examples{"qctl jobs effects 42"};
inline constexpr std::array<std::string_view, 2> jobs_resolve_examples{
    "qctl jobs resolve 42 charge happened --result '{\"id\": \"ch_1\"}'",
    "qctl jobs resolve 42 charge not-happened"};
inline constexpr std::array<std::string_view, 1> jobs_retry_examples{"qctl jobs retry 42 43"};
inline constexpr std::array<std::string_view, 1> jobs_cancel_examples{
    "qctl jobs cancel 42 --reason 'order was withdrawn'"};

inline constexpr std::array jobs_commands{
    command{.id = verb::jobs_list,
            .group = "jobs",
            .name = "list",
            .summary = "List jobs, newest first",
            .doc = "Completed and cancelled jobs are searched from the newest backwards; after "
                   "100,000 jobs looked at the search stops, says so on stderr and where to go "
                   "on with --before. With a FILTER a page takes about 100 ms at most and says "
                   "where to go on with --cursor; jobs that wait, run or are dead then come by "
                   "the time they are due, were claimed or died.",
            .arguments = filter_argument,
            .flags = jobs_list_flags,
            .examples = jobs_list_examples,
            .columns = "id,kind,queue,state,priority,attempt,run_at,last_error"},
    command{.id = verb::jobs_show,
            .group = "jobs",
            .name = "show",
            .summary = "Everything about one or more jobs",
            .arguments = job_ids_argument,
            .flags = jobs_show_flags,
            .examples = jobs_show_examples},
    command{.id = verb::jobs_explain,
            .group = "jobs",
            .name = "explain",
            .summary = "Why the job is not running: the first true reason",
            .arguments = job_id_argument,
            .examples = jobs_explain_examples},
    command{.id = verb::jobs_wait,
            .group = "jobs",
            .name = "wait",
            .summary = "Wait until jobs have ended",
            .doc = "Exit 0 when all completed (or reached --for), 1 when one ended otherwise, 7 "
                   "when the time was up (--timeout, default 30s).",
            .arguments = job_ids_argument,
            .flags = jobs_wait_flags,
            .examples = jobs_wait_examples,
            .columns = "id,kind,queue,state,attempt,finished_at,last_error"},
    command{.id = verb::jobs_logs,
            .group = "jobs",
            .name = "logs",
            .summary = "What a job's handlers said",
            .doc = "With --follow the exit code is that of jobs wait: 0 when the job completed, 1 "
                   "when it ended otherwise, 7 when the time was up (--timeout, default never).",
            .arguments = job_id_argument,
            .flags = jobs_logs_flags,
            .examples = jobs_logs_examples},
    command{.id = verb::jobs_effects,
            .group = "jobs",
            .name = "effects",
            .summary = "What a job has begun and done to the outside world",
            .arguments = job_id_argument,
            .examples = jobs_effects_examples,
            .columns = "step,state,key,begun_at,ended_at,result"},
    command{.id = verb::jobs_resolve,
            .group = "jobs",
            .name = "resolve",
            .summary = "Say what became of an effect whose answer was lost",
            .doc = "For effects that are begun and whose job nobody runs: a later run is told that "
                   "it happened, or may do it. Look it up at the provider first, by its key.",
            .arguments = jobs_resolve_arguments,
            .flags = jobs_resolve_flags,
            .examples = jobs_resolve_examples,
            .risk = danger::mild},
    command{
        .id = verb::jobs_retry,
        .group = "jobs",
        .name = "retry",
        .summary = "Run now: waiting jobs become due, dead and cancelled ones stand in line again",
        .doc = "Exit 8 when it worked for some of the ids only.",
        .arguments = job_ids_argument,
        .examples = jobs_retry_examples,
        .risk = danger::mild},
    command{.id = verb::jobs_cancel,
            .group = "jobs",
            .name = "cancel",
            .summary = "Cancel waiting jobs; ask running ones to stop",
            .doc = "Exit 8 when it worked for some of the ids only.",
            .arguments = job_ids_argument,
            .flags = jobs_cancel_flags,
            .examples = jobs_cancel_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
