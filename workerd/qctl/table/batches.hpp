#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array batch_argument{
    argument{"ID", arity::one, value_type::integer, "Id of the batch"}};
inline constexpr std::array batches_create_arguments{
    argument{"NAME", arity::optional, value_type::text, "Name for people, not unique"},
    argument{"PAYLOAD", arity::optional, value_type::text,
             "JSON, @FILE, or - for stdin, for the callbacks (default {})"},
};

inline constexpr std::array batches_list_flags{
    flag{.name = "name",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "Of this name, or of all that begin so: campaign.*"},
    flag{.name = "tenant", .type = value_type::uuid, .metavar = "UUID", .doc = "Of this tenant"},
    flag{.name = "unfinished", .doc = "Only those that have not ended"},
    flag{.name = "before",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Below this id: the next page"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 100)",
         .least = 1,
         .most = 10000},
};
inline constexpr std::array batches_create_flags{
    flag{.name = "on-success",
         .type = value_type::text,
         .metavar = "KIND",
         .doc = "Job to enqueue when every item succeeded"},
    flag{.name = "on-failure",
         .type = value_type::text,
         .metavar = "KIND",
         .doc = "Job to enqueue when it ended and some item did not succeed"},
    flag{.name = "on-finish",
         .type = value_type::text,
         .metavar = "KIND",
         .doc = "Job to enqueue when it ended"},
    flag{.name = "queue",
         .type = value_type::text,
         .metavar = "QUEUE",
         .doc = "Queue of these jobs (default: the kind's)"},
    flag{.name = "priority",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Priority of these jobs",
         .least = -32768,
         .most = 32767},
    flag{.name = "tenant",
         .type = value_type::uuid,
         .metavar = "UUID",
         .doc = "Tenant the batch belongs to"},
    flag{.name = "retention",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "How long it stays after its end (default 336h)"},
};
inline constexpr std::array batches_cancel_flags{
    flag{.name = "reason",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Kept as the error of each job"},
};
inline constexpr std::array batches_items_flags{
    flag{.name = "state",
         .type = value_type::states,
         .metavar = "STATE",
         .doc = "Of this state only; dead are those that failed"},
    flag{.name = "after",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Behind this job: the next page"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 100)",
         .least = 1,
         .most = 10000},
};

inline constexpr std::array<std::string_view, 2> batches_list_examples{
    "qctl batches list --unfinished", "qctl batches list --name 'campaign.*' -o json"};
inline constexpr std::array<std::string_view, 1> batches_show_examples{"qctl batches show 7"};
inline constexpr std::array<std::string_view, 2> batches_create_examples{
    "qctl batches create campaign.spring --on-finish campaign.report", "qctl batches create -o id"};
inline constexpr std::array<std::string_view, 1> batches_seal_examples{"qctl batches seal 7"};
inline constexpr std::array<std::string_view, 1> batches_cancel_examples{
    "qctl batches cancel 7 --reason 'campaign was withdrawn' --yes"};
inline constexpr std::array<std::string_view, 2> batches_items_examples{
    "qctl batches items 7 --state dead", "qctl batches items 7 --after 1200 --limit 1000 -o jsonl"};
inline constexpr std::array<std::string_view, 1> batches_wait_examples{
    "qctl batches wait 7 --timeout 10m"};

inline constexpr std::array batches_commands{
    command{.id = verb::batches_list,
            .group = "batches",
            .name = "list",
            .summary = "List batches, newest first",
            .flags = batches_list_flags,
            .examples = batches_list_examples,
            .columns = "id,name,state,total,processed,succeeded,failed,cancelled,sealed,"
                       "finished_at"},
    command{.id = verb::batches_show,
            .group = "batches",
            .name = "show",
            .summary = "Everything about one batch",
            .arguments = batch_argument,
            .examples = batches_show_examples},
    command{.id = verb::batches_create,
            .group = "batches",
            .name = "create",
            .summary = "Make a batch and print its id",
            .doc = "Enqueue its jobs with --batch ID, then seal it. docs/batches.md has the "
                   "states and what the callbacks are given.",
            .arguments = batches_create_arguments,
            .flags = batches_create_flags,
            .examples = batches_create_examples,
            .risk = danger::mild},
    command{.id = verb::batches_seal,
            .group = "batches",
            .name = "seal",
            .summary = "No more jobs: the batch ends when those it has have ended",
            .arguments = batch_argument,
            .examples = batches_seal_examples,
            .risk = danger::mild},
    command{.id = verb::batches_cancel,
            .group = "batches",
            .name = "cancel",
            .summary = "Cancel the rest of a batch: what waits is cancelled, what runs is asked",
            .doc = "Of a large batch the workers cancel what is left after half a second.",
            .arguments = batch_argument,
            .flags = batches_cancel_flags,
            .examples = batches_cancel_examples,
            .risk = danger::moderate},
    command{.id = verb::batches_items,
            .group = "batches",
            .name = "items",
            .summary = "List the jobs of a batch with state and error",
            .arguments = batch_argument,
            .flags = batches_items_flags,
            .examples = batches_items_examples,
            .columns = "id,state,kind,attempts,finished_at,error"},
    command{.id = verb::batches_wait,
            .group = "batches",
            .name = "wait",
            .summary = "Wait until a batch has ended",
            .doc = "Exit 0 when it COMPLETED, 1 when it ended otherwise, 7 when the time was up "
                   "(--timeout, default 30s).",
            .arguments = batch_argument,
            .examples = batches_wait_examples},
};

}  // namespace qctl::table
