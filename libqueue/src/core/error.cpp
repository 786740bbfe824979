#include <libqueue/error.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace libqueue {

std::string_view to_string(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument:
            return "invalid_argument";
        case errc::unknown_queue:
            return "unknown_queue";
        case errc::payload_too_large:
            return "payload_too_large";
        case errc::idempotency_conflict:
            return "idempotency_conflict";
        case errc::not_found:
            return "not_found";
        case errc::conflict:
            return "conflict";
        case errc::lease_lost:
            return "lease_lost";
        case errc::invalid_payload:
            return "invalid_payload";
        case errc::schema_mismatch:
            return "schema_mismatch";
        case errc::unfit_server:
            return "unfit_server";
    }
    return "invalid";
}

failure::failure(const std::string& what, std::string sqlstate, bool connection_lost,
                 bool outcome_unknown)
    : std::runtime_error{what},
      sqlstate_{std::move(sqlstate)},
      connection_lost_{connection_lost},
      outcome_unknown_{outcome_unknown} {}

bool failure::retryable() const noexcept {
    if (sqlstate_.empty()) {
        return connection_lost_;
    }
    // Connection exceptions and insufficient resources pass; so do conflicts with other
    // transactions, lock timeouts, a server that shuts down or ends an idle session, and a standby
    // that was a primary.
    const std::string_view state{sqlstate_};
    constexpr std::array<std::string_view, 8> passing{"40001", "40P01", "55P03", "57P01",
                                                      "57P02", "57P03", "57P05", "25006"};
    if (state.starts_with("08") || state.starts_with("53")) {
        return true;
    }
    for (const std::string_view one : passing) {
        if (state == one) {
            return true;
        }
    }
    return false;
}

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    std::fflush(stderr);
    std::abort();
}

}  // namespace libqueue
