#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array endpoint_argument{argument{
    "ID", arity::one, value_type::integer, "Endpoint, as webhooks endpoints list shows it"}};
inline constexpr std::array endpoint_url_argument{
    argument{"URL", arity::one, value_type::text, "Where events are sent to, https"}};
inline constexpr std::array event_argument{
    argument{"EVENT", arity::one, value_type::text, "Event, as webhooks deliveries list shows it"}};
inline constexpr std::array webhook_body_argument{
    argument{"BODY", arity::one, value_type::text, "The raw body: @FILE, or - for stdin"}};

inline constexpr flag processor_tenant{
    .name = "tenant", .type = value_type::uuid, .metavar = "UUID", .doc = "Of this tenant"};
inline constexpr flag processor_limit{.name = "limit",
                                      .type = value_type::integer,
                                      .metavar = "N",
                                      .doc = "At most so many (default 100)",
                                      .least = 1,
                                      .most = 10000};
inline constexpr flag delivery_endpoint{
    .name = "endpoint", .type = value_type::integer, .metavar = "ID", .doc = "Of this endpoint"};

inline constexpr std::array endpoints_list_flags{
    processor_tenant,
    flag{.name = "after",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Made after this one: the next page"},
    processor_limit,
};
inline constexpr std::array endpoints_create_flags{
    processor_tenant,
    flag{.name = "event",
         .type = value_type::text,
         .metavar = "PATTERN",
         .doc = "Events it hears, such as order.*; may be repeated (default all)",
         .repeated = true},
    flag{.name = "ordered", .doc = "One after the other, in the order they were published"},
    flag{.name = "description", .type = value_type::text, .metavar = "TEXT", .doc = "For people"},
};
inline constexpr std::array endpoints_disable_flags{
    flag{.name = "reason", .type = value_type::text, .metavar = "TEXT", .doc = "Shown beside it"},
};
inline constexpr std::array endpoints_rotate_flags{
    flag{
        .name = "overlap",
        .type = value_type::duration,
        .metavar = "DUR",
        .doc = "How long the old secret signs, too (default 24h; 0s when it is known to somebody)"},
};
inline constexpr std::array deliveries_list_flags{
    delivery_endpoint,
    flag{.name = "outcome",
         .type = value_type::text,
         .metavar = "WORD",
         .doc = "With this outcome, such as delivered"},
    processor_tenant,
    processor_limit,
};
inline constexpr std::array deliveries_replay_flags{delivery_endpoint};
inline constexpr std::array webhooks_verify_flags{
    flag{.name = "secret-file",
         .type = value_type::text,
         .metavar = "FILE",
         .doc = "Keys, one per line: whsec_... or whpk_..."},
    flag{.name = "headers",
         .type = value_type::text,
         .metavar = "FILE",
         .doc = "Headers as received: webhook-id, webhook-timestamp, webhook-signature"},
    flag{.name = "tolerance",
         .type = value_type::duration,
         .metavar = "DUR",
         .doc = "How far the time may be off (default 5m)"},
    flag{.name = "at",
         .type = value_type::instant,
         .metavar = "TIME",
         .doc = "As if it were received at this time"},
};

inline constexpr std::array<std::string_view, 1> endpoints_list_examples{
    "qctl webhooks endpoints list"};
inline constexpr std::array<std::string_view, 1> endpoints_show_examples{
    "qctl webhooks endpoints show 7"};
inline constexpr std::array<std::string_view, 1> endpoints_create_examples{
    "qctl webhooks endpoints create https://example.com/hook --event 'order.*'"};
inline constexpr std::array<std::string_view, 1> endpoints_enable_examples{
    "qctl webhooks endpoints enable 7"};
inline constexpr std::array<std::string_view, 1> endpoints_disable_examples{
    "qctl webhooks endpoints disable 7 --reason 'their certificate ran out' --yes"};
inline constexpr std::array<std::string_view, 1> endpoints_rotate_examples{
    "qctl webhooks endpoints rotate-secret 7 --overlap 48h --yes"};
inline constexpr std::array<std::string_view, 1> endpoints_remove_examples{
    "qctl webhooks endpoints remove 7 --confirm 7"};
inline constexpr std::array<std::string_view, 1> deliveries_list_examples{
    "qctl webhooks deliveries list --endpoint 7 --outcome failed"};
inline constexpr std::array<std::string_view, 1> deliveries_replay_examples{
    "qctl webhooks deliveries replay evt_1 --endpoint 7"};
inline constexpr std::array<std::string_view, 1> webhooks_verify_examples{
    "qctl webhooks verify --secret-file hook.key --headers headers.txt @body.json"};

inline constexpr std::array webhooks_commands{
    command{.id = verb::webhooks_endpoints_list,
            .group = "webhooks endpoints",
            .name = "list",
            .summary = "List webhook endpoints and how the last day went",
            .flags = endpoints_list_flags,
            .examples = endpoints_list_examples,
            .columns = "id,url,state,events,attempts,delivered,last_at,last_outcome"},
    command{.id = verb::webhooks_endpoints_show,
            .group = "webhooks endpoints",
            .name = "show",
            .summary = "Everything about one endpoint but its secret",
            .arguments = endpoint_argument,
            .examples = endpoints_show_examples},
    command{.id = verb::webhooks_endpoints_create,
            .group = "webhooks endpoints",
            .name = "create",
            .summary = "Make an endpoint and print its id",
            .arguments = endpoint_url_argument,
            .flags = endpoints_create_flags,
            .examples = endpoints_create_examples,
            .risk = danger::mild},
    command{.id = verb::webhooks_endpoints_enable,
            .group = "webhooks endpoints",
            .name = "enable",
            .summary = "Send to an endpoint again",
            .arguments = endpoint_argument,
            .examples = endpoints_enable_examples,
            .risk = danger::mild},
    command{.id = verb::webhooks_endpoints_disable,
            .group = "webhooks endpoints",
            .name = "disable",
            .summary = "Send nothing to an endpoint; what waits for it is cancelled",
            .arguments = endpoint_argument,
            .flags = endpoints_disable_flags,
            .examples = endpoints_disable_examples,
            .risk = danger::moderate},
    command{.id = verb::webhooks_endpoints_rotate,
            .group = "webhooks endpoints",
            .name = "rotate-secret",
            .summary = "Give an endpoint a new secret",
            .arguments = endpoint_argument,
            .flags = endpoints_rotate_flags,
            .examples = endpoints_rotate_examples,
            .risk = danger::moderate},
    command{.id = verb::webhooks_endpoints_remove,
            .group = "webhooks endpoints",
            .name = "remove",
            .summary = "Remove an endpoint and its keys; its log stays until it is pruned",
            .arguments = endpoint_argument,
            .examples = endpoints_remove_examples,
            .risk = danger::severe},
    command{.id = verb::webhooks_deliveries_list,
            .group = "webhooks deliveries",
            .name = "list",
            .summary = "List attempts to deliver events, newest first",
            .flags = deliveries_list_flags,
            .examples = deliveries_list_examples,
            .columns = "at,endpoint_id,event_id,type,attempt,outcome,status,duration_ms,next_at"},
    command{.id = verb::webhooks_deliveries_replay,
            .group = "webhooks deliveries",
            .name = "replay",
            .summary = "Send an event to an endpoint once more; prints the job",
            .arguments = event_argument,
            .flags = deliveries_replay_flags,
            .examples = deliveries_replay_examples,
            .risk = danger::mild},
    command{.id = verb::webhooks_verify,
            .group = "webhooks",
            .name = "verify",
            .summary = "Check the signature of a webhook that was received",
            .doc = "By the Standard Webhooks specification, as a receiver would. Talks to nobody. "
                   "Exit 1 when it does not fit.",
            .arguments = webhook_body_argument,
            .flags = webhooks_verify_flags,
            .examples = webhooks_verify_examples},
};

}  // namespace qctl::table
