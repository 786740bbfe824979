#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

// Errors come in three kinds, each with one mechanism:
//  1. domain outcomes the caller must handle (`result<T>` holding an `error`),
//  2. failures of the environment (the exception `failure`),
//  3. programmer errors (LIBQUEUE_ASSERT: print and abort; the lease rescues the job).

namespace libqueue {

/// What a domain error is about. The SQL functions raise the SQLSTATE named beside each value, so
/// a caller in any language can tell them apart.
enum class errc {
    invalid_argument,      ///< LQ001: a name, number or time outside its limits
    unknown_queue,         ///< LQ002: the queue was never created
    payload_too_large,     ///< LQ003: payload over the queue's limit (default 1 MiB)
    idempotency_conflict,  ///< LQ004: same key, other kind or payload
    not_found,             ///< LQ005: no such job, queue or dead letter
    conflict,              ///< LQ006: the job's state does not allow it
    lease_lost,            ///< LQ007: the job was taken from this worker
    invalid_payload,       ///< LQ008, 22P02, 22P05, 54001: not JSON that PostgreSQL can store
    schema_mismatch,       ///< LQ009: the database schema is missing, older or newer than this code
    unfit_server,          ///< no SQLSTATE: jobs must not be run on this server (see `worker`)
};

[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// A domain error. `message` says what was expected and what came; `hint` (may be empty) says what
/// to do about it. Neither ever contains payload content.
class error {
   public:
    error() = default;
    error(errc code_, std::string message_, std::string hint_ = {})
        : code{code_}, message{std::move(message_)}, hint{std::move(hint_)} {}

    errc code{errc::invalid_argument};
    std::string message;
    std::string hint;
};

/// Thrown by `result<T>::value()` when it holds an error.
class domain_failure : public std::runtime_error {
   public:
    explicit domain_failure(libqueue::error what)
        : std::runtime_error{what.message}, error_{std::move(what)} {}
    [[nodiscard]] const libqueue::error& why() const noexcept { return error_; }

   private:
    libqueue::error error_;
};

[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
    throw domain_failure{e};
}

/// Either a value or a domain error.
template <typename T = void>
using result = boost::system::result<T, error>;

/// The environment failed: connection lost, timeout, serialization failure, server shutting down.
/// One type; its properties answer the questions a caller has.
class failure : public std::runtime_error {
   public:
    failure(const std::string& what, std::string sqlstate, bool connection_lost,
            bool outcome_unknown);

    /// The same work may be tried again, on a new connection if `poisons_connection()`.
    [[nodiscard]] bool retryable() const noexcept;
    /// The connection must be closed, never reused.
    [[nodiscard]] bool poisons_connection() const noexcept { return connection_lost_; }
    /// The server may have committed before the failure. Never repeat such work blindly: enqueue
    /// with an idempotency key, or look before trying again.
    [[nodiscard]] bool outcome_unknown() const noexcept { return outcome_unknown_; }
    /// Five characters, or empty when the server said nothing.
    [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }

   private:
    std::string sqlstate_;
    bool connection_lost_;
    bool outcome_unknown_;
};

/// Prints expression and place on stderr and aborts. Used by LIBQUEUE_ASSERT.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace libqueue

/// Always on, also in release builds: continuing after a broken invariant could finish a job that
/// is not ours. The process aborts and the lease gives its jobs to another worker.
#define LIBQUEUE_ASSERT(expression) \
    ((expression) ? void() : ::libqueue::assertion_failed(#expression, __FILE__, __LINE__))
