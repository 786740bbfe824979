#include "pg/sqlstate.hpp"

#include "pg/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace libqueue::pg {
namespace {

[[nodiscard]] bool is_one_of(std::string_view state,
                             std::initializer_list<std::string_view> states) noexcept {
    return std::find(states.begin(), states.end(), state) != states.end();
}

/// Our own states, LQ001 onwards, in the order of `errc`.
constexpr std::array<errc, 9> own_codes{
    errc::invalid_argument,     errc::unknown_queue,   errc::payload_too_large,
    errc::idempotency_conflict, errc::not_found,       errc::conflict,
    errc::lease_lost,           errc::invalid_payload, errc::schema_mismatch};

}  // namespace

bool breaks_connection(std::string_view sqlstate) noexcept {
    // 25006: the server became a read-only standby; its sessions are useless to us.
    return sqlstate.starts_with("08") ||
           is_one_of(sqlstate, {"57P01", "57P02", "57P03", "57P05", "25006"});
}

bool tells_outcome(std::string_view sqlstate) noexcept {
    // An error in answer to a statement means that its transaction was aborted. Not so when the
    // server crashed under it, or says itself that it does not know.
    return !sqlstate.empty() && !sqlstate.starts_with("08") && sqlstate != "57P02" &&
           sqlstate != "40003";
}

sql_failure::sql_failure(const std::string& message, std::string sqlstate, bool connection_lost,
                         bool outcome_unknown, std::string hint)
    : failure{message, std::move(sqlstate), connection_lost, outcome_unknown},
      hint_{std::move(hint)} {}

std::optional<error> domain_error(const sql_failure& what) {
    const std::string_view state{what.sqlstate()};
    const std::string message{what.what()};
    if (state.size() == 5 && state.starts_with("LQ00") && state[4] >= '1' && state[4] <= '9') {
        return error{own_codes[static_cast<std::size_t>(state[4] - '1')], message, what.hint()};
    }
    // The type's name stays untranslated whatever lc_messages is.
    if (state == "22P02" && message.find(" uuid") != std::string::npos) {
        return error{errc::invalid_argument, "tenant_id: expected a UUID; " + message};
    }
    if (is_one_of(state, {"22P02", "22P05", "22021", "22032", "54001"})) {
        return error{errc::invalid_payload,
                     "payload: expected JSON that PostgreSQL can store; " + message};
    }
    if (state == "54000") {
        return error{errc::payload_too_large, "payload: too large for jsonb; " + message};
    }
    if (is_one_of(state, {"22003", "22007", "22008", "22015"})) {
        return error{errc::invalid_argument, message, what.hint()};
    }
    if (is_one_of(state, {"3F000", "42P01", "42883", "42703", "42704"})) {
        return error{errc::schema_mismatch, message,
                     "The schema is missing or older than this code: run qctl migrate up."};
    }
    return std::nullopt;
}

}  // namespace libqueue::pg
