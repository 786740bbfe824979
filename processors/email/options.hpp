#pragma once

#include "processors/support/secret.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <type_traits>

namespace libqueue::processors::email {

enum class tls_mode {
    none,      ///< plain text: only to a server on this host or inside the test
    starttls,  ///< demanded, never skipped when the server does not offer it
    tls,       ///< encrypted from the first byte
};

/// What to do when the link is lost between the final dot and the server's answer, so that the
/// mail may have been accepted or not (RFC 1047).
enum class unknown_policy {
    retry,  ///< send again with the same Message-ID: perhaps twice, never not at all
    park,   ///< discard to the dead letters, where a person decides: never twice
};

class options {
   public:
    explicit options(std::string host_) : host{std::move(host_)} {}

    std::string host;  ///< name or address of the SMTP server
    int port{587};
    tls_mode tls{tls_mode::starttls};
    std::string username;  ///< empty: no login
    secret password;
    /// Instead of a password: a file with the OAuth 2 access token of `username`, for XOAUTH2 and
    /// OAUTHBEARER. Read anew for every mail, so that whoever renews it replaces the file.
    std::filesystem::path bearer_file;
    std::string from;       ///< `a@b.c` or `Name <a@b.c>`; sender of mails whose payload names none
    std::string helo_name;  ///< how we introduce ourselves; empty: this host's name
    std::filesystem::path ca_file;              ///< instead of the system's certificates
    std::chrono::milliseconds timeout{30'000};  ///< of one mail, connecting included
    unknown_policy on_unknown{unknown_policy::retry};

    /// Use the SQL schemas `mail` and `contacts`: templates, tenants' senders, preferences, limits
    /// per recipient and suppressions. Needs `migration_sets()`. Without, only mails that bring
    /// their text are sent, and to everybody.
    bool stores{true};
    int hourly_per_recipient{20};  ///< the rest waits; 0: any number
    /// Where `{token}` unsubscribes, for mails to one recipient in a category other than
    /// `transactional` and `critical`. Must answer a POST by calling `contacts.unsubscribe`.
    /// Empty: no such link.
    std::string unsubscribe_url;
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace libqueue::processors::email
