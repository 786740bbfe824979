#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array context_argument{
    argument{"NAME", arity::one, value_type::text, "Name of the context"}};

inline constexpr std::array context_set_flags{
    flag{.name = "url",
         .type = value_type::text,
         .metavar = "URL",
         .doc = "API server it stands for; excludes --dsn"},
    flag{.name = "token",
         .type = value_type::text,
         .metavar = "FILE",
         .doc = "File with the API token; the token itself is never kept here"},
    flag{.name = "ca",
         .type = value_type::text,
         .metavar = "FILE",
         .doc = "Authorities to trust instead of the system's (PEM)"},
    flag{.name = "dsn",
         .type = value_type::text,
         .metavar = "DSN",
         .doc = "Database it stands for, without password; excludes --url"},
    flag{.name = "in-schema",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "Schema the queue is installed in there (default queue)"},
    flag{.name = "protected",
         .doc = "What changes something there demands the name of the context"},
    flag{.name = "unprotected", .doc = "Take --protected back"},
};

inline constexpr std::array<std::string_view, 1> context_list_examples{"qctl context list"};
inline constexpr std::array<std::string_view, 1> context_use_examples{"qctl context use prod"};
inline constexpr std::array<std::string_view, 2> context_set_examples{
    "qctl context set prod --url https://queue.example.com --token ~/.config/qctl/prod.token "
    "--protected",
    "qctl context set laptop --dsn 'postgresql://queue@localhost/app'"};
inline constexpr std::array<std::string_view, 1> context_delete_examples{
    "qctl context delete laptop"};
inline constexpr std::array<std::string_view, 3> api_examples{
    "qctl api GET /workflows/42", "qctl api GET '/stats/series?metric=wait&queue=money'",
    "qctl api POST /dead-letters/42/replay '{}'"};
inline constexpr std::array api_arguments{
    argument{"METHOD", arity::one, value_type::text, "GET, POST, PUT or DELETE"},
    argument{"PATH", arity::one, value_type::text, "Path below /api/v1, with its query"},
    argument{"BODY", arity::optional, value_type::text, "JSON, @FILE, or - for stdin"},
};
inline constexpr std::array api_flags{
    flag{.name = "if-match",
         .type = value_type::text,
         .metavar = "ETAG",
         .doc = "Change it only if it is still as this ETag says"},
    flag{.name = "raw", .doc = "Print the answer as it came"},
};

inline constexpr std::array context_commands{
    command{.id = verb::context_list,
            .group = "context",
            .name = "list",
            .summary = "List the contexts; the one in use is marked",
            .examples = context_list_examples},
    command{.id = verb::context_use,
            .group = "context",
            .name = "use",
            .summary = "Use a context where nothing else names a server or database",
            .arguments = context_argument,
            .examples = context_use_examples},
    command{.id = verb::context_set,
            .group = "context",
            .name = "set",
            .summary = "Make a context, or change what is named of one",
            .doc = "Kept in ~/.config/qctl/config.yaml, which only its owner may read. A password "
                   "has no place there: libpq reads it from the password file.",
            .arguments = context_argument,
            .flags = context_set_flags,
            .examples = context_set_examples},
    command{.id = verb::context_delete,
            .group = "context",
            .name = "delete",
            .summary = "Forget a context",
            .arguments = context_argument,
            .examples = context_delete_examples},
};

inline constexpr std::array api_commands{
    command{.id = verb::api,
            .name = "api",
            .summary = "Send one request to the API server and print its answer",
            .doc = "For what has no verb of its own. Needs --server or a context with one. A list "
                   "is printed like every list and an object like every object; -o json with "
                   "--raw gives the answer byte by byte. PATH may be written with or without "
                   "/api/v1.",
            .arguments = api_arguments,
            .flags = api_flags,
            .examples = api_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
