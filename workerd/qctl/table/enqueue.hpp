#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array enqueue_arguments{
    argument{"KIND", arity::optional, value_type::text,
             "Kind of the job, such as email.send; with --bulk it may be left to the lines"},
    argument{"PAYLOAD", arity::optional, value_type::text,
             "JSON, @FILE, or - for stdin (default {})"},
};

inline constexpr std::array enqueue_flags{
    flag{.name = "queue", .type = value_type::text, .metavar = "QUEUE", .doc = "Queue to stand in"},
    flag{.name = "priority",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Lower runs first (default: the kind's, else 5)",
         .least = -32768,
         .most = 32767},
    flag{.name = "at",
         .type = value_type::instant,
         .metavar = "TIME",
         .doc = "Not before this time, such as 2026-01-31T08:00:00Z"},
    flag{.name = "in",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "Not before this long from now"},
    flag{.name = "unique-key",
         .type = value_type::text,
         .metavar = "KEY",
         .doc = "Idempotency key: the same key and payload is the same job"},
    flag{.name = "window",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "How long the key is remembered (default 7d)"},
    flag{.name = "max-attempts",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Attempts before it is a dead letter",
         .least = 1,
         .most = 1000},
    flag{.name = "tag",
         .type = value_type::text,
         .metavar = "TAG",
         .doc = "Tag; may be repeated",
         .repeated = true},
    flag{.name = "meta",
         .type = value_type::text,
         .metavar = "K=V",
         .doc = "Entry of the metadata, a string; may be repeated",
         .repeated = true},
    flag{.name = "tenant",
         .type = value_type::uuid,
         .metavar = "UUID",
         .doc = "Tenant the job belongs to"},
    flag{.name = "batch",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Batch it is an item of",
         .least = 1},
    flag{.name = "ordering-key",
         .type = value_type::text,
         .metavar = "KEY",
         .doc = "Jobs of a queue with the same key run one after the other"},
    flag{.name = "concurrency-key",
         .type = value_type::text,
         .metavar = "KEY",
         .doc = "At most --key-concurrency jobs of a queue with the same key run at a time"},
    flag{.name = "key-concurrency",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "How many of its concurrency key (default 1)",
         .least = 1,
         .most = 10000},
    flag{.name = "limit-key",
         .type = value_type::text,
         .metavar = "KEY",
         .doc = "Bucket it draws from, of limits whose key is limit_key"},
    flag{.name = "cost",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "Tokens it takes of its limits (default 1)",
         .least = 1,
         .most = 1000000},
    flag{.name = "subject",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "Whom its data is about, for qctl erase"},
    flag{.name = "keyring",
         .type = value_type::text,
         .metavar = "DIR",
         .doc = "Seal the payload with the active key of this directory; needs KIND"},
    flag{.name = "per-tenant", .doc = "With --keyring: with the key of --tenant"},
    flag{.name = "bulk",
         .type = value_type::text,
         .metavar = "FILE",
         .doc = "One job per line of FILE (JSON Lines), or of stdin for -"},
    flag{.name = "wait",
         .type = value_type::optional_duration,
         .metavar = "DUR",
         .doc = "Wait until the job has ended, 30s if no time is given"},
};

inline constexpr std::array<std::string_view, 6> enqueue_examples{
    R"(qctl enqueue email.send '{"to":"ann@example.com"}')",
    "qctl enqueue report.build @report.json --in 5m --tag nightly",
    "qctl enqueue payment.process @p.json --unique-key payment:7:1201 --window 24h",
    "qctl enqueue debug.echo --wait=10s -o json",
    "qctl enqueue email.send --bulk payloads.jsonl",
    "qctl enqueue --bulk jobs.jsonl    # lines like {\"kind\":\"a.b\",\"payload\":{}}",
};

inline constexpr std::array enqueue_commands{
    command{
        .id = verb::enqueue,
        .name = "enqueue",
        .summary = "Enqueue a job, or many from a file",
        .doc =
            "Prints the id of the job. With --wait it also waits for the end: exit 0 when the job "
            "completed, 1 when it was cancelled or died, 7 when the time was up.\n\n"
            "With --bulk and a KIND each line is the payload of one job. Without KIND each line is "
            "an object with kind, payload and, as wanted, queue, priority, run_at, delay, "
            "idempotency_key, idempotency_ttl, max_attempts, tenant_id, meta, tags, traceparent, "
            "batch_id, ordering_key, concurrency_key, key_concurrency, limit_key, cost, subject; "
            "flags are the default of what a line leaves out. Lines are enqueued in batches, "
            "each in one transaction. The first bad line ends the run, is named, and nothing from "
            "it on is enqueued; -n checks all lines and enqueues none.",
        .arguments = enqueue_arguments,
        .flags = enqueue_flags,
        .examples = enqueue_examples,
        .risk = danger::mild,
    },
};

}  // namespace qctl::table
