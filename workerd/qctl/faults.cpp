#include "faults.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace qctl {

namespace {

using libqueue::errc;

// libpq 15 gives no SQLSTATE for a connection that was never made; its words are all there is.
bool is_refused_login(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 8> phrases{"password authentication failed",
                                                      "no password supplied",
                                                      "no pg_hba.conf entry",
                                                      "authentication failed",
                                                      "role \"",
                                                      "permission denied for database",
                                                      "certificate",
                                                      "is not permitted to log in"};
    return std::ranges::any_of(phrases, [&](std::string_view phrase) {
        return text.find(phrase) != std::string_view::npos;
    });
}

bool in_class(std::string_view sqlstate, std::string_view prefix) noexcept {
    return sqlstate.starts_with(prefix);
}

// libpq breaks its longer messages into lines and indents them.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const bool space = c == '\n' || c == '\t' || c == ' ';
        if (!space) {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    return line.substr(0, line.find_last_not_of(' ') + 1);
}

}  // namespace

exit_code exit_for(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument:
        case errc::payload_too_large:
        case errc::invalid_payload:
            return exit_code::usage;
        case errc::unknown_queue:
        case errc::not_found:
            return exit_code::not_found;
        case errc::idempotency_conflict:
        case errc::conflict:
        case errc::lease_lost:
        case errc::schema_mismatch:
        case errc::unfit_server:
            return exit_code::refused;
    }
    return exit_code::failed;
}

stop to_stop(const libqueue::error& why, const std::string& where) {
    std::string hint = why.hint;
    if (hint.empty() && why.code == errc::unknown_queue) {
        hint = "qctl queues list shows the queues, qctl queues create makes one";
    }
    if (hint.empty() && why.code == errc::schema_mismatch) {
        hint = "qctl migrate status shows the schema, qctl migrate up brings it up to date";
    }
    return stop{exit_for(why.code), std::string{libqueue::to_string(why.code)},
                where.empty() ? why.message : where + ": " + why.message, hint};
}

stop to_stop(const libqueue::failure& why) {
    const std::string_view state = why.sqlstate();
    const auto message = one_line(why.what());
    if (why.outcome_unknown()) {
        return stop{exit_code::failed, "outcome_unknown", message,
                    "it may or may not have happened: look before you repeat it"};
    }
    if (in_class(state, "28") || state == "42501" || is_refused_login(message)) {
        return stop{exit_code::not_authenticated, "not_authenticated", message,
                    "check the user, the password file and the rights of the role"};
    }
    if (state == "57014") {
        return stop{exit_code::timed_out, "timed_out", message, "a longer --timeout may help"};
    }
    if (state == "42P01" || state == "42883" || state == "3F000") {
        return stop{exit_code::refused, "schema_mismatch", message,
                    "is the queue installed here? qctl migrate status shows the schema, qctl "
                    "migrate up creates it"};
    }
    if (why.poisons_connection() || state.empty() || in_class(state, "08") || state == "57P03" ||
        state == "3D000") {
        return stop{exit_code::unreachable, "unreachable", message,
                    "check --db, QCTL_DB or DATABASE_URL, and that the server runs"};
    }
    return stop{exit_code::failed, "failed", message};
}

}  // namespace qctl
