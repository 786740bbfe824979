#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array alert_argument{
    argument{"ID", arity::one, value_type::integer, "Id of the alert"}};

inline constexpr std::array alerts_list_flags{
    flag{.name = "rule", .type = value_type::text, .metavar = "RULE", .doc = "Of this rule"},
    flag{.name = "severity",
         .type = value_type::text,
         .metavar = "WORD",
         .doc = "critical, warning or info"},
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
inline constexpr std::array alerts_acknowledge_flags{
    flag{.name = "note",
         .type = value_type::text,
         .metavar = "TEXT",
         .doc = "For whoever looks at it next"},
};

inline constexpr std::array<std::string_view, 2> alerts_list_examples{
    "qctl alerts list", "qctl alerts list --severity critical -o json"};
inline constexpr std::array<std::string_view, 1> alerts_history_examples{
    "qctl alerts history --rule money_depth"};
inline constexpr std::array<std::string_view, 1> alerts_acknowledge_examples{
    "qctl alerts acknowledge 7 --note 'the provider is down, ticket 12'"};

inline constexpr std::string_view alert_columns{
    "id,rule,subject,severity,state,summary,raised_at,resolved_at,acknowledged_by"};

inline constexpr std::array alerts_commands{
    command{.id = verb::alerts_list,
            .group = "alerts",
            .name = "list",
            .summary = "List alerts that go on, newest first",
            .flags = alerts_list_flags,
            .examples = alerts_list_examples,
            .columns = alert_columns},
    command{.id = verb::alerts_history,
            .group = "alerts",
            .name = "history",
            .summary = "List alerts of the last seven days, those that are over included",
            .flags = alerts_list_flags,
            .examples = alerts_history_examples,
            .columns = alert_columns},
    command{.id = verb::alerts_acknowledge,
            .group = "alerts",
            .name = "acknowledge",
            .summary = "Take care of an alert: nobody is told any more while it goes on",
            .arguments = alert_argument,
            .flags = alerts_acknowledge_flags,
            .examples = alerts_acknowledge_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
