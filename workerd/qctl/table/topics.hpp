#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array topics_publish_arguments{
    argument{"TOPIC", arity::one, value_type::text, "Words with dots between: orders.created"},
    argument{"PAYLOAD", arity::optional, value_type::text,
             "JSON, @FILE, or - for stdin (default {})"},
};
inline constexpr std::array topics_subscribe_arguments{
    argument{"PATTERN", arity::one, value_type::text,
             "As a topic; * is one word, # any number of them"},
    argument{"KIND", arity::one, value_type::text, "Kind of the jobs"},
};

inline constexpr flag topics_tenant_flag{
    .name = "tenant", .type = value_type::uuid, .metavar = "UUID", .doc = "Of this tenant"};
inline constexpr std::array topics_unsubscribe_flags{topics_tenant_flag};
inline constexpr std::array topics_list_flags{
    topics_tenant_flag,
    flag{.name = "pattern",
         .type = value_type::text,
         .metavar = "PATTERN",
         .doc = "With this very pattern"},
    flag{.name = "kind",
         .type = value_type::text,
         .metavar = "KIND",
         .doc = "Of this kind, or of all that begin so: email.*"},
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
inline constexpr std::array topics_publish_flags{
    topics_tenant_flag,
    flag{.name = "delay",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "The jobs are due after this time"},
    flag{.name = "idempotency-key",
         .type = value_type::text,
         .metavar = "KEY",
         .doc = "However often published, one job for each subscription"},
};
inline constexpr std::array topics_subscribe_flags{
    topics_tenant_flag,
    flag{.name = "filter",
         .type = value_type::text,
         .metavar = "PATH",
         .doc = "Condition on the payload: '$.total > 100'"},
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
    flag{.name = "delay",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "The jobs are due after this time"},
    flag{.name = "ordering-key-path",
         .type = value_type::text,
         .metavar = "PATH",
         .doc = "Events with the same value there run one after the other: '$.order_id'"},
};
inline constexpr std::array topics_unrouted_flags{
    flag{.name = "forget", .doc = "Forget what is listed"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 100)",
         .least = 1,
         .most = 10000},
};

inline constexpr std::array<std::string_view, 2> topics_list_examples{
    "qctl topics list", "qctl topics list --kind 'email.*' -o json"};
inline constexpr std::array<std::string_view, 2> topics_publish_examples{
    "qctl topics publish orders.created '{\"total\":120}'",
    "qctl topics publish orders.created '{\"total\":120}' -n"};
inline constexpr std::array<std::string_view, 1> topics_subscribe_examples{
    "qctl topics subscribe 'orders.*' email.receipt --filter 'exists($.buyer)'"};
inline constexpr std::array<std::string_view, 1> topics_unsubscribe_examples{
    "qctl topics unsubscribe 'orders.*' email.receipt --yes"};
inline constexpr std::array<std::string_view, 1> topics_unrouted_examples{"qctl topics unrouted"};

inline constexpr std::array topics_commands{
    command{.id = verb::topics_list,
            .group = "topics",
            .name = "list",
            .summary = "List subscriptions: who hears which topics",
            .flags = topics_list_flags,
            .examples = topics_list_examples,
            .columns = "id,pattern,kind,queue,filter,delay_ms"},
    command{.id = verb::topics_publish,
            .group = "topics",
            .name = "publish",
            .summary = "Publish an event: one job for each subscription that matches",
            .doc = "Prints how many jobs. With -n: lists who would hear it.",
            .arguments = topics_publish_arguments,
            .flags = topics_publish_flags,
            .examples = topics_publish_examples,
            .risk = danger::mild},
    command{.id = verb::topics_subscribe,
            .group = "topics",
            .name = "subscribe",
            .summary = "Make a subscription, or change the one of that pattern and kind",
            .doc = "What is not given is the default, also of one that is changed.",
            .arguments = topics_subscribe_arguments,
            .flags = topics_subscribe_flags,
            .examples = topics_subscribe_examples,
            .risk = danger::mild},
    command{.id = verb::topics_unsubscribe,
            .group = "topics",
            .name = "unsubscribe",
            .summary = "Remove a subscription; jobs made before stay",
            .arguments = topics_subscribe_arguments,
            .flags = topics_unsubscribe_flags,
            .examples = topics_unsubscribe_examples,
            .risk = danger::moderate},
    command{.id = verb::topics_unrouted,
            .group = "topics",
            .name = "unrouted",
            .summary = "List topics that were published and heard by nobody",
            .flags = topics_unrouted_flags,
            .examples = topics_unrouted_examples,
            .columns = "topic,count,first_at,last_at,sample"},
};

}  // namespace qctl::table
