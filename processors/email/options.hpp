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
    std::string from;       ///< `a@b.c` or `Name <a@b.c>`; sender of mails whose payload names none
    std::string helo_name;  ///< how we introduce ourselves; empty: this host's name
    std::filesystem::path ca_file;              ///< instead of the system's certificates
    std::chrono::milliseconds timeout{30'000};  ///< of one mail, connecting included
    unknown_policy on_unknown{unknown_policy::retry};
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace libqueue::processors::email
