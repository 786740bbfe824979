#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array token_argument{
    argument{"ID", arity::one, value_type::text, "Id of the token, as the list shows it"}};
inline constexpr std::array whoami_argument{
    argument{"TOKEN", arity::optional, value_type::text,
             "The token, @FILE, or - for stdin; over a server your own"}};
inline constexpr std::array tenant_argument{
    argument{"NAME", arity::one, value_type::text, "Name of the tenant: A-Z a-z 0-9 _ . -"}};

inline constexpr std::array tokens_create_flags{
    flag{.name = "role",
         .type = value_type::text,
         .metavar = "ROLE",
         .doc = "viewer, operator or admin (default viewer)"},
    flag{.name = "tenant",
         .type = value_type::uuid,
         .metavar = "UUID",
         .doc = "Sees and changes this tenant's rows only (default: those of all)"},
    flag{.name = "ttl",
         .type = value_type::duration,
         .metavar = "TIME",
         .doc = "Ends after so long (default: when it is revoked)"},
    flag{.name = "name",
         .type = value_type::text,
         .metavar = "NAME",
         .doc = "What the audit calls it: token:NAME"},
};
inline constexpr std::array tokens_list_flags{
    flag{.name = "after",
         .type = value_type::uuid,
         .metavar = "ID",
         .doc = "Made before this one: the next page"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 1000)",
         .least = 1,
         .most = 10000},
};
inline constexpr std::array revoke_jwt_flags{
    flag{.name = "issuer", .type = value_type::text, .metavar = "TEXT", .doc = "iss of the token"},
    flag{.name = "jti", .type = value_type::text, .metavar = "TEXT", .doc = "jti of the token"},
    flag{.name = "expires",
         .type = value_type::instant,
         .metavar = "TIME",
         .doc = "exp of the token; it is remembered until then"},
};
inline constexpr std::array audit_list_flags{
    flag{.name = "actor", .type = value_type::text, .metavar = "NAME", .doc = "By this actor"},
    flag{.name = "action",
         .type = value_type::text,
         .metavar = "ACTION",
         .doc = "This action, or all that begin so: queues.*"},
    flag{.name = "target",
         .type = value_type::text,
         .metavar = "TARGET",
         .doc = "Done to this job, queue, schedule, ..."},
    flag{.name = "tenant", .type = value_type::uuid, .metavar = "UUID", .doc = "Of this tenant"},
    flag{.name = "since",
         .type = value_type::past,
         .metavar = "TIME",
         .doc = "At or after; an instant, or so long ago: 1h"},
    flag{.name = "until", .type = value_type::past, .metavar = "TIME", .doc = "Before"},
    flag{.name = "after",
         .type = value_type::integer,
         .metavar = "ID",
         .doc = "Older than this one: the next page"},
    flag{.name = "limit",
         .type = value_type::integer,
         .metavar = "N",
         .doc = "At most so many (default 50)",
         .least = 1,
         .most = 10000},
};
inline constexpr std::array audit_verify_flags{
    flag{.name = "anchor",
         .type = value_type::text,
         .metavar = "ID:HASH",
         .doc = "The head of an earlier verify, kept elsewhere: finds a cut end, too"},
};
inline constexpr std::array audit_prune_flags{
    flag{.name = "older-than",
         .type = value_type::duration,
         .metavar = "TIME",
         .doc = "Age from which on records go"},
};

inline constexpr std::array<std::string_view, 3> tokens_create_examples{
    "qctl tokens create --role viewer",
    "qctl tokens create --role operator --tenant 6f1c2a9e-0f5b-4c55-9d6e-0d6f1f3b7a10 --ttl 1h",
    "qctl tokens create --role admin --name deploy > token"};
inline constexpr std::array<std::string_view, 1> tokens_list_examples{"qctl tokens list"};
inline constexpr std::array<std::string_view, 1> tokens_revoke_examples{
    "qctl tokens revoke 6f1c2a9e-0f5b-4c55-9d6e-0d6f1f3b7a10"};
inline constexpr std::array<std::string_view, 1> revoke_jwt_examples{
    "qctl tokens revoke-jwt --issuer https://id.example.com --jti 7d1f --expires "
    "2026-01-31T08:00:00Z"};
inline constexpr std::array<std::string_view, 2> tokens_whoami_examples{
    "qctl tokens whoami @token", "qctl tokens whoami --server https://queue.example.com"};
inline constexpr std::array<std::string_view, 1> tenants_create_examples{
    "qctl tenants create acme"};
inline constexpr std::array<std::string_view, 1> tenants_list_examples{"qctl tenants list"};
inline constexpr std::array<std::string_view, 2> audit_list_examples{
    "qctl audit list --since 1d", "qctl audit list --action 'queues.*' --actor token:deploy"};
inline constexpr std::array<std::string_view, 2> audit_verify_examples{
    "qctl audit verify",
    "qctl audit verify --anchor "
    "12:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"};
inline constexpr std::array<std::string_view, 1> audit_prune_examples{
    "qctl audit prune --older-than 8760h"};
inline constexpr std::array<std::string_view, 1> roles_list_examples{"qctl roles list"};
inline constexpr std::array<std::string_view, 1> roles_install_examples{
    "qctl roles install --db 'dbname=app user=postgres'"};

inline constexpr std::array access_commands{
    command{.id = verb::tokens_create,
            .group = "tokens",
            .name = "create",
            .summary = "Make an API token and print it, this once",
            .doc = "It travels as `Authorization: Bearer`. The database keeps its hash alone.",
            .flags = tokens_create_flags,
            .examples = tokens_create_examples,
            .risk = danger::mild},
    command{.id = verb::tokens_list,
            .group = "tokens",
            .name = "list",
            .summary = "List API tokens, newest first",
            .flags = tokens_list_flags,
            .examples = tokens_list_examples,
            .columns = "id,name,role,tenant_id,state,expires_at,last_used_at"},
    command{.id = verb::tokens_revoke,
            .group = "tokens",
            .name = "revoke",
            .summary = "End an API token",
            .doc = "Servers that remember it forget it within 5 seconds.",
            .arguments = token_argument,
            .examples = tokens_revoke_examples,
            .risk = danger::mild},
    command{.id = verb::tokens_revoke_jwt,
            .group = "tokens",
            .name = "revoke-jwt",
            .summary = "End a JWT before its time",
            .doc = "One of an identity provider, which the queue does not keep; all three flags "
                   "are needed. Servers take it for 5 seconds more at most.",
            .flags = revoke_jwt_flags,
            .examples = revoke_jwt_examples,
            .risk = danger::mild},
    command{.id = verb::tokens_whoami,
            .group = "tokens",
            .name = "whoami",
            .summary = "Show whose a token is and what it may do",
            .doc = "Prefer @FILE or -: arguments are seen by everybody on the host.",
            .arguments = whoami_argument,
            .examples = tokens_whoami_examples},
    command{.id = verb::tenants_create,
            .group = "tenants",
            .name = "create",
            .summary = "Make a tenant and print its id",
            .arguments = tenant_argument,
            .examples = tenants_create_examples,
            .risk = danger::mild},
    command{.id = verb::tenants_list,
            .group = "tenants",
            .name = "list",
            .summary = "List tenants",
            .examples = tenants_list_examples},
    command{.id = verb::audit_list,
            .group = "audit",
            .name = "list",
            .summary = "List what people did, newest first",
            .flags = audit_list_flags,
            .examples = audit_list_examples,
            .columns = "id,at,actor,role,action,target,tenant_id"},
    command{.id = verb::audit_verify,
            .group = "audit",
            .name = "verify",
            .summary = "Recompute the audit's chain and print its head",
            .doc = "Exit 6 when a record was altered, removed or put in another order. Keep the "
                   "head (ID:HASH) elsewhere and give it as --anchor: against it a cut end and a "
                   "chain written anew are found, too.",
            .flags = audit_verify_flags,
            .examples = audit_verify_examples},
    command{.id = verb::audit_prune,
            .group = "audit",
            .name = "prune",
            .summary = "Remove old records of the audit, and record that",
            .flags = audit_prune_flags,
            .examples = audit_prune_examples,
            .risk = danger::moderate},
    command{.id = verb::roles_list,
            .group = "roles",
            .name = "list",
            .summary = "List the database's roles and whether this connection may act as them",
            .examples = roles_list_examples},
    command{.id = verb::roles_install,
            .group = "roles",
            .name = "install",
            .summary = "Make the database's roles and put row-level security in force",
            .doc = "What `migrate up` does where it may. Needs the owner of the tables and "
                   "CREATEROLE, or a superuser. May be repeated.",
            .examples = roles_install_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
