#pragma once

#include "command_table.hpp"

#include <array>

namespace qctl::table {

inline constexpr std::array keys_arguments{
    argument{"DIR", arity::one, value_type::text, "Directory of keys"}};

inline constexpr flag key_id_flag{.name = "id",
                                  .type = value_type::text,
                                  .metavar = "ID",
                                  .doc = "Id of the key (default: the time, 20260131t080000z)"};
inline constexpr std::array keys_create_flags{
    key_id_flag,
    flag{.name = "tenant",
         .type = value_type::uuid,
         .metavar = "UUID",
         .doc = "A key of this tenant: tenant-<uuid>, with --id tenant-<uuid>.<id>"},
};
inline constexpr std::array keys_rotate_flags{
    key_id_flag,
    flag{.name = "tenant",
         .type = value_type::uuid,
         .metavar = "UUID",
         .doc = "A new key of this tenant: tenant-<uuid>.<id>"},
};
inline constexpr std::array keys_reseal_flags{
    flag{.name = "from",
         .type = value_type::text,
         .metavar = "ID",
         .doc = "Only what this key sealed (default: all that is not sealed with the active key)"},
    flag{.name = "per-tenant", .doc = "Tenants have keys of their own, as in the workers' file"},
};

inline constexpr std::array<std::string_view, 2> keys_create_examples{
    "qctl keys create /etc/workerd/keys --id 2026-11",
    "qctl keys create /etc/workerd/keys --tenant 6f1c2a9e-0f5b-4c55-9d6e-0d6f1f3b7a10"};
inline constexpr std::array<std::string_view, 1> keys_list_examples{
    "qctl keys list /etc/workerd/keys"};
inline constexpr std::array<std::string_view, 1> keys_check_examples{
    "qctl keys check /etc/workerd/keys"};
inline constexpr std::array<std::string_view, 1> keys_rotate_examples{
    "qctl keys rotate /etc/workerd/keys --id 2026-12"};
inline constexpr std::array<std::string_view, 1> keys_usage_examples{"qctl keys usage"};
inline constexpr std::array<std::string_view, 2> keys_reseal_examples{
    "qctl keys reseal /etc/workerd/keys", "qctl keys reseal /etc/workerd/keys --from 2026-11 -n"};

inline constexpr std::array keys_commands{
    command{.id = verb::keys_create,
            .group = "keys",
            .name = "create",
            .summary = "Make a key of 32 random bytes",
            .doc = "Makes the directory, too, and the first key that is no tenant's becomes "
                   "active. Never overwrites a key. Keep a copy elsewhere: what a lost key has "
                   "sealed is gone.",
            .arguments = keys_arguments,
            .flags = keys_create_flags,
            .examples = keys_create_examples,
            .risk = danger::mild},
    command{.id = verb::keys_list,
            .group = "keys",
            .name = "list",
            .summary = "List the keys of a directory; never their content",
            .arguments = keys_arguments,
            .examples = keys_list_examples},
    command{.id = verb::keys_check,
            .group = "keys",
            .name = "check",
            .summary = "Check that a process can use a directory of keys",
            .doc = "Run it as the user of the process. Exit 2 names the file that is unfit.",
            .arguments = keys_arguments,
            .examples = keys_check_examples},
    command{.id = verb::keys_rotate,
            .group = "keys",
            .name = "rotate",
            .summary = "Make a key and let it be the one that seals",
            .doc = "Copy the directory to every host, then let producers and workers reload "
                   "(SIGHUP): workers first, as they must know the key before the first job comes "
                   "with it. docs/encryption.md has the order of steps.",
            .arguments = keys_arguments,
            .flags = keys_rotate_flags,
            .examples = keys_rotate_examples,
            .risk = danger::mild},
    command{.id = verb::keys_usage,
            .group = "keys",
            .name = "usage",
            .summary = "Count what each key is still needed for",
            .doc = "Reads all of history. A row without key_id counts what is not sealed though "
                   "its kind is encrypted.",
            .examples = keys_usage_examples},
    command{.id = verb::keys_reseal,
            .group = "keys",
            .name = "reseal",
            .summary = "Seal anew with the active key, so that old keys can be deleted",
            .doc = "Goes through jobs, outputs and dead letters in small transactions while "
                   "workers run, and seals what is not sealed though its kind is encrypted. Exit 8 "
                   "when some could not be opened. Repeat until `qctl keys usage` no longer names "
                   "the old key.",
            .arguments = keys_arguments,
            .flags = keys_reseal_flags,
            .examples = keys_reseal_examples,
            .risk = danger::mild},
};

}  // namespace qctl::table
