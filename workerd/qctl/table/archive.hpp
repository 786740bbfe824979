#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array archive_argument{
    argument{"NAME", arity::one, value_type::text, "Name of the archive"}};
inline constexpr std::array archive_set_arguments{
    argument{"KIND", arity::one, value_type::text, "Kind of the jobs"},
    argument{"NAME", arity::optional, value_type::text, "Name of the archive, without --none"}};
inline constexpr std::array archive_keep_arguments{
    argument{"NAME", arity::one, value_type::text, "Name of the archive"},
    argument{"DUR", arity::optional, value_type::text, "How long: 3650d; without --for-ever"}};
inline constexpr std::array erase_arguments{
    argument{"SUBJECT", arity::one, value_type::text, "Whose data, as given at enqueue"}};

inline constexpr flag archive_kind_flag{.name = "kind",
                                        .type = value_type::text,
                                        .metavar = "KIND",
                                        .doc = "Of this kind, or of all that begin so: payment.*"};
inline constexpr flag archive_before_flag{.name = "before",
                                          .type = value_type::past,
                                          .metavar = "TIME",
                                          .doc = "Archived before: 90d ago, or a time"};
inline constexpr std::array archive_jobs_flags{archive_kind_flag, archive_before_flag,
                                               flag{.name = "after",
                                                    .type = value_type::integer,
                                                    .metavar = "ID",
                                                    .doc = "Above this one: the next page"},
                                               flag{.name = "limit",
                                                    .type = value_type::integer,
                                                    .metavar = "N",
                                                    .doc = "At most so many (default 50)",
                                                    .least = 1,
                                                    .most = 10000}};
inline constexpr std::array archive_set_flags{
    flag{.name = "none", .doc = "To no archive: they go for good"}};
inline constexpr std::array archive_keep_flags{
    flag{.name = "for-ever", .doc = "Until they are pruned or exported away"}};
inline constexpr std::array archive_export_flags{
    flag{.name = "to",
         .type = value_type::text,
         .metavar = "PATH",
         .doc = "A folder, for files named by their ids, or a new file"},
    flag{.name = "format",
         .type = value_type::text,
         .metavar = "FORMAT",
         .doc = "jsonl or csv (default jsonl)"},
    archive_kind_flag,
    archive_before_flag,
    flag{.name = "rows",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Jobs in a file of a folder (default 100000)",
         .least = 1,
         .most = 1'000'000},
    flag{.name = "remove", .doc = "Delete from the archive what is in a whole file"}};
inline constexpr std::array archive_prune_flags{archive_before_flag};
inline constexpr std::array erase_flags{
    flag{.name = "tenant",
         .type = value_type::uuid,
         .metavar = "UUID",
         .doc = "Tenant of the jobs (default: jobs without tenant)"},
    flag{.name = "reason",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Kept with the record of the erasure"}};

inline constexpr std::array<std::string_view, 1> archive_list_examples{"qctl archive list"};
inline constexpr std::array<std::string_view, 1> archive_jobs_examples{
    "qctl archive jobs payment_archive --kind 'payment.*' -o json"};
inline constexpr std::array<std::string_view, 2> archive_set_examples{
    "qctl archive set payment.process payment_archive", "qctl archive set webhook.deliver --none"};
inline constexpr std::array<std::string_view, 2> archive_keep_examples{
    "qctl archive keep webhook_archive 365d", "qctl archive keep payment_archive --for-ever"};
inline constexpr std::array<std::string_view, 2> archive_export_examples{
    "qctl archive export payment_archive --to /srv/archive --before 365d --remove --yes",
    "qctl archive export webhook_archive --to webhooks.csv --format csv"};
inline constexpr std::array<std::string_view, 1> archive_prune_examples{
    "qctl archive prune webhook_archive --before 365d --yes"};
inline constexpr std::array<std::string_view, 2> erase_examples{
    "qctl erase customer-4711 --dry-run",
    "qctl erase customer-4711 --reason 'request of 3 May' --yes"};

inline constexpr std::array archive_commands{
    command{.id = verb::archive_list,
            .group = "archive",
            .name = "list",
            .summary = "List archives with their kinds, retention and size",
            .doc = "Jobs are counted up to ten million.",
            .examples = archive_list_examples,
            .columns = "name,kinds,retention_ms,jobs,first_archived_at,last_archived_at"},
    command{.id = verb::archive_jobs,
            .group = "archive",
            .name = "jobs",
            .summary = "List jobs of an archive, by ascending id",
            .arguments = archive_argument,
            .flags = archive_jobs_flags,
            .examples = archive_jobs_examples,
            .columns = "id,kind,state,attempt,finished_at,archived_at,last_error"},
    command{.id = verb::archive_set,
            .group = "archive",
            .name = "set",
            .summary = "Say where jobs of a kind go when their retention is over",
            .doc = "A worker whose configuration names an archive for the kind sets it again when "
                   "it starts.",
            .arguments = archive_set_arguments,
            .flags = archive_set_flags,
            .examples = archive_set_examples,
            .risk = danger::mild},
    command{.id = verb::archive_keep,
            .group = "archive",
            .name = "keep",
            .summary = "Say how long jobs stay in an archive",
            .arguments = archive_keep_arguments,
            .flags = archive_keep_flags,
            .examples = archive_keep_examples,
            .risk = danger::mild},
    command{.id = verb::archive_export,
            .group = "archive",
            .name = "export",
            .summary = "Write an archive to files, and with --remove delete what is written",
            .doc = "In a folder, files are named by their first and last id, and a job that is in "
                   "one of them already is not written again: the same command goes on where it "
                   "was stopped. A file appears when it is whole and on the disk; only then, with "
                   "--remove, its jobs are deleted. No file is ever replaced.",
            .arguments = archive_argument,
            .flags = archive_export_flags,
            .examples = archive_export_examples,
            .risk = danger::moderate},
    command{.id = verb::archive_prune,
            .group = "archive",
            .name = "prune",
            .summary = "Delete what was archived before a time, for good",
            .arguments = archive_argument,
            .flags = archive_prune_flags,
            .examples = archive_prune_examples,
            .risk = danger::moderate},
    command{.id = verb::erase,
            .name = "erase",
            .summary = "Erase what jobs and archives hold of one subject",
            .doc =
                "Jobs that wait are cancelled. Jobs that run are told to stop, and workers erase "
                "them when they have ended: `qctl erase SUBJECT --dry-run` then finds nothing. "
                "Exported files are out of its reach.",
            .arguments = erase_arguments,
            .flags = erase_flags,
            .examples = erase_examples,
            .risk = danger::moderate},
};

}  // namespace qctl::table
