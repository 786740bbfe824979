#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array letter_id_argument{
    argument{"ID", arity::one, value_type::integer, "Dead letter, by the id of its job"}};
inline constexpr std::array letter_ids_argument{
    argument{"ID", arity::any, value_type::integer, "Dead letters, by the ids of their jobs"}};

// The filter comes first in every list, so that help reads the same everywhere.
inline constexpr flag dlq_queue{
    .name = "queue", .type = value_type::text, .metavar = "QUEUE", .doc = "Of this queue"};
inline constexpr flag dlq_kind{.name = "kind",
                               .type = value_type::text,
                               .metavar = "KIND",
                               .doc = "Of this kind, or of all that begin so: email.*"};
inline constexpr flag dlq_tenant{
    .name = "tenant", .type = value_type::uuid, .metavar = "UUID", .doc = "Of this tenant"};
inline constexpr flag dlq_error{.name = "error",
                                .type = value_type::text,
                                .metavar = "TEXT",
                                .doc = "Whose error contains this text"};
inline constexpr flag dlq_fingerprint{.name = "fingerprint",
                                      .type = value_type::text,
                                      .metavar = "FP",
                                      .doc = "Of this failure group (see dlq groups)"};
inline constexpr flag dlq_since{.name = "since",
                                .type = value_type::past,
                                .metavar = "TIME",
                                .doc = "Died since: 1h ago, or a time"};
inline constexpr flag dlq_until{.name = "until",
                                .type = value_type::past,
                                .metavar = "TIME",
                                .doc = "Died before: 90d ago, or a time"};
inline constexpr flag dlq_before{.name = "before",
                                 .type = value_type::integer,
                                 .metavar = "ID",
                                 .doc = "Older than this one: the next page"};
inline constexpr flag dlq_cursor{.name = "cursor",
                                 .type = value_type::text,
                                 .metavar = "TEXT",
                                 .doc = "Over a server: the next page, as the last one said"};
inline constexpr flag dlq_limit{.name = "limit",
                                .type = value_type::integer,
                                .metavar = "N",
                                .doc = "At most so many, the newest ones",
                                .least = 1,
                                .most = 10000};
inline constexpr flag dlq_export_limit{.name = "limit",
                                       .type = value_type::integer,
                                       .metavar = "N",
                                       .doc = "At most so many (default: all)"};
inline constexpr flag dlq_all{.name = "all", .doc = "All of them; demanded when nothing is chosen"};

inline constexpr std::array dlq_list_flags{dlq_queue,       dlq_kind,  dlq_tenant, dlq_error,
                                           dlq_fingerprint, dlq_since, dlq_until,  dlq_before,
                                           dlq_cursor,      dlq_limit};
inline constexpr std::array dlq_note_flags{
    flag{.name = "mute", .doc = "Last in lists, and silent; without it the group is loud again"},
};
inline constexpr std::array dlq_note_arguments{
    argument{"FP", arity::one, value_type::text, "Failure group (see dlq groups)"},
    argument{"TEXT", arity::optional, value_type::text, "For people; without it there is none"}};
inline constexpr std::array dlq_export_flags{dlq_queue, dlq_kind,        dlq_tenant,
                                             dlq_error, dlq_fingerprint, dlq_since,
                                             dlq_until, dlq_before,      dlq_export_limit};
inline constexpr std::array dlq_stats_flags{dlq_queue,       dlq_kind,  dlq_tenant, dlq_error,
                                            dlq_fingerprint, dlq_since, dlq_until};
inline constexpr std::array dlq_group_flags{dlq_queue,       dlq_kind,  dlq_tenant, dlq_error,
                                            dlq_fingerprint, dlq_since, dlq_until,  dlq_limit};
inline constexpr std::array dlq_discard_flags{dlq_queue, dlq_kind,        dlq_tenant,
                                              dlq_error, dlq_fingerprint, dlq_since,
                                              dlq_until, dlq_limit,       dlq_all};
inline constexpr std::array dlq_replay_flags{
    dlq_queue,
    dlq_kind,
    dlq_tenant,
    dlq_error,
    dlq_fingerprint,
    dlq_since,
    dlq_until,
    dlq_limit,
    dlq_all,
    flag{.name = "rate",
         .type = value_type::rate,
         .metavar = "N/s",
         .doc = "Spread them over time: 50/s, 10/m"},
    flag{.name = "edit",
         .type = value_type::text,
         .metavar = "JSON",
         .doc = "Replay with this payload (JSON, @FILE or -) as new jobs that name their ancestor"},
    flag{.name = "to",
         .type = value_type::text,
         .metavar = "QUEUE",
         .doc = "Replay into this queue"},
    flag{.name = "keyring",
         .type = value_type::text,
         .metavar = "DIR",
         .doc = "With --edit or --to of encrypted kinds: keys to seal the new jobs with"},
    flag{.name = "per-tenant", .doc = "With --keyring: tenants have keys of their own"},
};

inline constexpr std::array<std::string_view, 2> dlq_list_examples{
    "qctl dlq list --kind 'email.*' --since 1d", "qctl dlq list -o json --before 1200"};
inline constexpr std::array<std::string_view, 1> dlq_show_examples{"qctl dlq show 42 -o json"};
inline constexpr std::array<std::string_view, 1> dlq_groups_examples{
    "qctl dlq groups --queue money"};
inline constexpr std::array<std::string_view, 2> dlq_note_examples{
    "qctl dlq note 9f86d081884c7d65 'the provider is down, ticket 12' --mute",
    "qctl dlq note 9f86d081884c7d65"};
inline constexpr std::array<std::string_view, 4> dlq_replay_examples{
    "qctl dlq replay 42",
    "qctl dlq replay --fingerprint 9f86d081884c7d65 --rate 50/s --yes",
    R"(qctl dlq replay 42 --edit '{"to":"ann@example.com"}')",
    "qctl dlq replay --all -n",
};
inline constexpr std::array<std::string_view, 3> dlq_discard_examples{
    "qctl dlq discard 42 --yes",
    "qctl dlq discard --until 90d --yes",
    "qctl dlq discard --all --confirm all",
};
inline constexpr std::array<std::string_view, 1> dlq_export_examples{
    "qctl dlq export --queue money > dead.jsonl"};
inline constexpr std::array<std::string_view, 1> dlq_stats_examples{"qctl dlq stats"};

inline constexpr std::array dlq_commands{
    command{.id = verb::dlq_list,
            .group = "dlq",
            .name = "list",
            .summary = "List dead letters, newest first",
            .flags = dlq_list_flags,
            .examples = dlq_list_examples,
            .columns = "id,kind,queue,attempt,reason,error,died_at"},
    command{.id = verb::dlq_show,
            .group = "dlq",
            .name = "show",
            .summary = "Everything about one dead letter, its attempts too",
            .arguments = letter_id_argument,
            .examples = dlq_show_examples},
    command{.id = verb::dlq_groups,
            .group = "dlq",
            .name = "groups",
            .summary = "Dead letters grouped by what went wrong",
            .flags = dlq_group_flags,
            .examples = dlq_groups_examples,
            .columns = "fingerprint,kind,count,last_died_at,sample_id,error"},
    command{.id = verb::dlq_note,
            .group = "dlq",
            .name = "note",
            .summary = "Say something about a failure group, mute it or let it speak again",
            .doc = "Replaces what was said before: without TEXT nothing, without --mute it is "
                   "heard again.",
            .arguments = dlq_note_arguments,
            .flags = dlq_note_flags,
            .examples = dlq_note_examples,
            .risk = danger::mild},
    command{.id = verb::dlq_replay,
            .group = "dlq",
            .name = "replay",
            .summary = "Put dead letters back in line",
            .doc = "Name the letters by id, choose them with a filter, or pass --all. Each letter "
                   "is replayed once, whoever else tries. More than named ids asks first.",
            .arguments = letter_ids_argument,
            .flags = dlq_replay_flags,
            .examples = dlq_replay_examples,
            .columns = "id,kind,queue,attempt,reason,error,died_at",
            .risk = danger::moderate},
    command{.id = verb::dlq_discard,
            .group = "dlq",
            .name = "discard",
            .summary = "Delete dead letters for good",
            .doc = "Name the letters by id, choose them with a filter, or pass --all. It asks "
                   "first; with --all it asks for the word `all` (--confirm all).",
            .arguments = letter_ids_argument,
            .flags = dlq_discard_flags,
            .examples = dlq_discard_examples,
            .columns = "id,kind,queue,attempt,reason,error,died_at",
            .risk = danger::severe},
    command{.id = verb::dlq_export,
            .group = "dlq",
            .name = "export",
            .summary = "Write dead letters with all they hold, as JSON Lines",
            .doc = "Pages through everything that matches; -o json and -o csv work too.",
            .flags = dlq_export_flags,
            .examples = dlq_export_examples},
    command{.id = verb::dlq_stats,
            .group = "dlq",
            .name = "stats",
            .summary = "How many dead letters there are, of how many failure groups",
            .flags = dlq_stats_flags,
            .examples = dlq_stats_examples},
};

}  // namespace qctl::table
