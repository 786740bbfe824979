#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array template_argument{
    argument{"NAME", arity::one, value_type::text, "Name of the template"}};
inline constexpr std::array address_argument{
    argument{"ADDRESS", arity::one, value_type::text, "Whom it is about"}};
inline constexpr std::array preference_arguments{
    argument{"ADDRESS", arity::one, value_type::text, "Whom it is about"},
    argument{"CATEGORY", arity::one, value_type::text, "Category of mails, or all"},
    argument{"STATE", arity::one, value_type::text, "on or off"},
};

inline constexpr flag mail_tenant{.name = "tenant",
                                  .type = value_type::uuid,
                                  .metavar = "UUID",
                                  .doc = "Of this tenant (default: what holds for all)"};
inline constexpr flag mail_channel{.name = "channel",
                                   .type = value_type::text,
                                   .metavar = "NAME",
                                   .doc = "email or sms (default email)"};
inline constexpr flag mail_limit{.name = "limit",
                                 .type = value_type::integer,
                                 .metavar = "N",
                                 .doc = "At most so many (default 100)",
                                 .least = 1,
                                 .most = 500};

inline constexpr std::array templates_list_flags{
    flag{.name = "name", .type = value_type::text, .metavar = "NAME", .doc = "Of this name"},
    flag{.name = "status",
         .type = value_type::text,
         .metavar = "WORD",
         .doc = "draft, active or archived"},
    mail_tenant,
    mail_limit,
};
inline constexpr std::array templates_show_flags{
    flag{.name = "locale",
         .type = value_type::text,
         .metavar = "LOCALE",
         .doc = "As a mail in it would be found: de-AT, then de, then default"},
    flag{.name = "version",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "This version, drafts too (default: the active one)"},
    mail_tenant,
};
inline constexpr std::array templates_preview_flags{
    flag{.name = "data",
         .type = value_type::text,
         .metavar = "JSON",
         .doc = "Variables, an object; @FILE and - (stdin) are read"},
    flag{.name = "set",
         .type = value_type::text,
         .metavar = "NAME=TEXT",
         .doc = "One variable, over those of --data; a.b=TEXT goes inside a, NAME:=JSON is no text",
         .repeated = true},
    flag{.name = "part",
         .type = value_type::text,
         .metavar = "PART",
         .doc = "Print subject, html or text alone, as it is"},
    templates_show_flags[0],
    templates_show_flags[1],
    mail_tenant,
};
inline constexpr std::array preference_flags{mail_channel, mail_tenant};
inline constexpr std::array history_flags{mail_channel, mail_tenant, mail_limit};
inline constexpr std::array suppress_flags{
    flag{.name = "reason",
         .type = value_type::text,
         .metavar = "WORD",
         .doc = "bounce, complaint, stop or manual (default manual)"},
    mail_channel,
    mail_tenant,
};

inline constexpr std::array<std::string_view, 1> templates_list_examples{
    "qctl templates list --status active"};
inline constexpr std::array<std::string_view, 1> templates_show_examples{
    "qctl templates show order.confirmed --locale de-AT -o json"};
inline constexpr std::array<std::string_view, 2> templates_preview_examples{
    "qctl templates preview welcome --set customer_name=Ann",
    "qctl templates preview purchase_confirmation --data @order.json --locale de-AT --part html"};
inline constexpr std::array<std::string_view, 1> preferences_show_examples{
    "qctl preferences show ann@example.com"};
inline constexpr std::array<std::string_view, 1> preferences_history_examples{
    "qctl preferences history ann@example.com"};
inline constexpr std::array<std::string_view, 1> preferences_set_examples{
    "qctl preferences set ann@example.com marketing off"};
inline constexpr std::array<std::string_view, 1> preferences_suppress_examples{
    "qctl preferences suppress ann@example.com --reason complaint"};
inline constexpr std::array<std::string_view, 1> preferences_unsuppress_examples{
    "qctl preferences unsuppress ann@example.com --yes"};

inline constexpr std::array mail_commands{
    command{.id = verb::templates_list,
            .group = "templates",
            .name = "list",
            .summary = "List mail templates, every version, without their text",
            .flags = templates_list_flags,
            .examples = templates_list_examples},
    command{.id = verb::templates_show,
            .group = "templates",
            .name = "show",
            .summary = "One mail template with its text",
            .arguments = template_argument,
            .flags = templates_show_flags,
            .examples = templates_show_examples},
    command{
        .id = verb::templates_preview,
        .group = "templates",
        .name = "preview",
        .summary = "What a mail template makes of variables; nothing is sent",
        .doc =
            "Rendered as a mail would be: a variable that is missing is an error with its "
            "name. The mail writes dates and times in the zone of --tz (default UTC). A variable "
            "unsubscribe_url stands for the link that delivery makes.",
        .arguments = template_argument,
        .flags = templates_preview_flags,
        .examples = templates_preview_examples},
    command{.id = verb::preferences_show,
            .group = "preferences",
            .name = "show",
            .summary = "What an address said about being written to",
            .arguments = address_argument,
            .flags = preference_flags,
            .examples = preferences_show_examples},
    command{.id = verb::preferences_history,
            .group = "preferences",
            .name = "history",
            .summary = "Every change of an address, newest first",
            .arguments = address_argument,
            .flags = history_flags,
            .examples = preferences_history_examples},
    command{.id = verb::preferences_set,
            .group = "preferences",
            .name = "set",
            .summary = "Switch a category of mails on or off for an address",
            .arguments = preference_arguments,
            .flags = preference_flags,
            .examples = preferences_set_examples,
            .risk = danger::mild},
    command{.id = verb::preferences_suppress,
            .group = "preferences",
            .name = "suppress",
            .summary = "Write to an address no more",
            .arguments = address_argument,
            .flags = suppress_flags,
            .examples = preferences_suppress_examples,
            .risk = danger::mild},
    command{.id = verb::preferences_unsuppress,
            .group = "preferences",
            .name = "unsuppress",
            .summary = "Write to an address again",
            .arguments = address_argument,
            .flags = preference_flags,
            .examples = preferences_unsuppress_examples,
            .risk = danger::moderate},
};

}  // namespace qctl::table
