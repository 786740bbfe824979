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
         .doc = "With FILTER or over a server: the next page, as the last one said"},
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
inline constexpr flag edit_flag{.name = "edit",
                                .type = value_type::text,
                                .metavar = "JSON",
                                .doc = "With this payload (JSON, @FILE or -), as a new job"};
inline constexpr std::array jobs_retry_flags{edit_flag};
inline constexpr std::array jobs_snooze_flags{
    flag{.name = "for",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "So long from now, at most ten years"},
    flag{.name = "until", .type = value_type::instant, .metavar = "TIME", .doc = "Until this time"},
};
inline constexpr std::array jobs_clone_flags{
    edit_flag,
    flag{.name = "priority",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Instead of the old one; lower runs first",
         .least = -32768,
         .most = 32767},
    flag{.name = "at", .type = value_type::instant, .metavar = "TIME", .doc = "Not before"},
    flag{.name = "in",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "Not before so long from now"},
};
inline constexpr std::array jobs_count_flags{
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
inline constexpr std::array<std::string_view, 2> jobs_retry_examples{
    "qctl jobs retry 42 43", R"(qctl jobs retry 42 --edit '{"to":"ann@example.com"}')"};
inline constexpr std::array<std::string_view, 2> jobs_count_examples{
    "qctl jobs count 'state:dead age:>1d'", "qctl jobs count --queue money -o json"};
inline constexpr std::array<std::string_view, 1> jobs_lineage_examples{"qctl jobs lineage 42"};
inline constexpr std::array<std::string_view, 1> jobs_run_now_examples{"qctl jobs run-now 42 43"};
inline constexpr std::array<std::string_view, 2> jobs_snooze_examples{
    "qctl jobs snooze 42 43 --for 2h", "qctl jobs snooze 42 --until 2026-01-31T08:00:00Z"};
inline constexpr std::array<std::string_view, 2> jobs_clone_examples{
    "qctl jobs clone 42", R"(qctl jobs clone 42 --edit '{"to":"ann@example.com"}' --in 5m)"};
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
    command{.id = verb::jobs_count,
            .group = "jobs",
            .name = "count",
            .summary = "How many jobs match",
            .doc = "Exact up to 10,000; more are \"at least\" so many (count_exact).",
            .arguments = filter_argument,
            .flags = jobs_count_flags,
            .examples = jobs_count_examples},
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
    command{.id = verb::jobs_lineage,
            .group = "jobs",
            .name = "lineage",
            .summary = "The jobs linked with one: what it follows, replays and clones of it",
            .doc = "From the first of its chain on, at most 200. workflows show draws them.",
            .arguments = job_id_argument,
            .examples = jobs_lineage_examples,
            .columns = "id,from_id,relation,kind,queue,state,batch_id,created_at,finished_at"},
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
        .flags = jobs_retry_flags,
        .examples = jobs_retry_examples,
        .risk = danger::mild},
    command{.id = verb::jobs_run_now,
            .group = "jobs",
            .name = "run-now",
            .summary = "Make waiting jobs due; no others are touched",
            .doc = "Exit 8 when it worked for some of the ids only.",
            .arguments = job_ids_argument,
            .examples = jobs_run_now_examples,
            .risk = danger::mild},
    command{.id = verb::jobs_snooze,
            .group = "jobs",
            .name = "snooze",
            .summary = "Let waiting jobs wait on",
            .doc = "Exit 8 when it worked for some of the ids only.",
            .arguments = job_ids_argument,
            .flags = jobs_snooze_flags,
            .examples = jobs_snooze_examples,
            .risk = danger::mild},
    command{.id = verb::jobs_clone,
            .group = "jobs",
            .name = "clone",
            .summary = "New jobs like these, whatever became of them",
            .doc = "Prints the ids of the new jobs, which name their ancestor. Exit 8 when it "
                   "worked for some of the ids only.",
            .arguments = job_ids_argument,
            .flags = jobs_clone_flags,
            .examples = jobs_clone_examples,
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
