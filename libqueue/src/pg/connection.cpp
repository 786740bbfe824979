#include "pg/connection.hpp"

#include "pg/sqlstate.hpp"

#include <sql/backend_pid.hpp>
#include <sql/inject_failure.hpp>

#include <libpq-fe.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace libqueue::pg {
namespace {

void ignore_notice(void* /*unused*/, const PGresult* /*unused*/) {}

[[nodiscard]] bool begins_with_word(std::string_view sql, std::string_view word) noexcept {
    return sql.size() >= word.size() &&
           std::equal(word.begin(), word.end(), sql.begin(), [](char a, char b) {
               return a == std::toupper(static_cast<unsigned char>(b));
           });
}

/// Whether a loss of the connection while this statement was under way leaves open what the server
/// committed: outside a transaction each statement commits itself, inside only COMMIT does.
[[nodiscard]] bool may_commit(PGTransactionStatusType before, std::string_view sql) noexcept {
    if (before == PQTRANS_IDLE) {
        return !begins_with_word(sql, "BEGIN");
    }
    return begins_with_word(sql, "COMMIT");
}

[[nodiscard]] std::string trimmed(const char* text) {
    std::string out{text == nullptr ? "" : text};
    while (!out.empty() && std::isspace(static_cast<unsigned char>(out.back())) != 0) {
        out.pop_back();
    }
    return out;
}

[[nodiscard]] std::string field(const PGresult* from, int code) {
    const char* value = PQresultErrorField(from, code);
    return value == nullptr ? std::string{} : std::string{value};
}

/// Reads what the server sent since the last answer. An idle connection that was cut is found out
/// here, before anything is sent, so its loss leaves no outcome open.
void drain_idle_input(PGconn* raw) {
    while (PQstatus(raw) == CONNECTION_OK) {
        pollfd wanted{PQsocket(raw), POLLIN, 0};
        if (poll(&wanted, 1, 0) <= 0 || PQconsumeInput(raw) == 0) {
            return;
        }
        // Parses what was read: notices and the server's farewell.
        static_cast<void>(PQisBusy(raw));
    }
}

[[noreturn]] void throw_lost(PGconn* raw, bool outcome_unknown) {
    std::string message = trimmed(PQerrorMessage(raw));
    throw sql_failure{message.empty() ? "the connection to PostgreSQL was lost" : message,
                      {},
                      true,
                      outcome_unknown,
                      {}};
}

/// Throws unless `answer` says the statement succeeded.
void check_answer(PGconn* raw, const pg::result& answer, bool commits) {
    switch (PQresultStatus(answer.raw())) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            return;
        case PGRES_COPY_OUT:
        case PGRES_COPY_IN:
        case PGRES_COPY_BOTH:
        case PGRES_BAD_RESPONSE:
        case PGRES_NONFATAL_ERROR:
        case PGRES_FATAL_ERROR:
        case PGRES_SINGLE_TUPLE:
        case PGRES_PIPELINE_SYNC:
        case PGRES_PIPELINE_ABORTED:
            break;
    }
    std::string state = field(answer.raw(), PG_DIAG_SQLSTATE);
    const bool lost = PQstatus(raw) == CONNECTION_BAD || breaks_connection(state);
    const bool unknown = commits && !tells_outcome(state) && (lost || state == "40003");
    std::string message = field(answer.raw(), PG_DIAG_MESSAGE_PRIMARY);
    if (message.empty()) {
        message = trimmed(PQresultErrorMessage(answer.raw()));
    }
    if (message.empty()) {
        message = trimmed(PQerrorMessage(raw));
    }
    throw sql_failure{message, std::move(state), lost, unknown,
                      field(answer.raw(), PG_DIAG_MESSAGE_HINT)};
}

}  // namespace

connection::connection(const std::string& dsn, const std::string& application_name,
                       std::chrono::milliseconds connect_timeout)
    : raw_{nullptr}, owned_{true} {
    const std::string seconds =
        std::to_string(std::max<std::int64_t>(1, (connect_timeout.count() + 999) / 1000));
    // libpq lets later words override earlier ones and expands the DSN where it stands, so what
    // comes before it are defaults. A half-open socket is given up after 30 s.
    const std::array<const char*, 9> words{"connect_timeout",
                                           "fallback_application_name",
                                           "keepalives_idle",
                                           "keepalives_interval",
                                           "keepalives_count",
                                           "tcp_user_timeout",
                                           "dbname",
                                           "client_encoding",
                                           nullptr};
    const std::array<const char*, 9> values{
        seconds.c_str(), application_name.c_str(), "10", "5", "4", "30000", dsn.c_str(), "UTF8",
        nullptr};
    raw_ = PQconnectdbParams(words.data(), values.data(), 1);
    if (raw_ == nullptr) {
        throw std::bad_alloc{};
    }
    if (PQstatus(raw_) != CONNECTION_OK) {
        const std::string message = trimmed(PQerrorMessage(raw_));
        PQfinish(raw_);
        throw sql_failure{message, {}, true, false, {}};
    }
    PQsetNoticeReceiver(raw_, ignore_notice, nullptr);
}

connection::connection(pg_conn* borrowed) noexcept : raw_{borrowed}, owned_{false} {}

connection::~connection() {
    if (owned_) {
        PQfinish(raw_);
    }
}

pg::result connection::exec(std::string_view sql, const params& parameters) {
    if (prologue_.empty() || in_transaction()) {
        return exec_outside(sql, parameters);
    }
    transaction own{*this};
    pg::result answer = exec_outside(sql, parameters);
    own.commit();
    return answer;
}

pg::result connection::exec_outside(std::string_view sql, const params& parameters) {
    drain_idle_input(raw_);
    if (broken()) {
        throw_lost(raw_, false);
    }
    const bool commits = may_commit(PQtransactionStatus(raw_), sql);
    params::view sent;
    parameters.fill(sent);
    return checked(
        PQexecParams(raw_, std::string{sql}.c_str(), parameters.count(), sent.types.data(),
                     sent.values.data(), sent.lengths.data(), sent.formats.data(), 0),
        commits);
}

void connection::exec_script(const std::string& sql) {
    drain_idle_input(raw_);
    if (broken()) {
        throw_lost(raw_, false);
    }
    const bool commits = PQtransactionStatus(raw_) == PQTRANS_IDLE;
    checked(PQexec(raw_, sql.c_str()), commits);
}

void connection::pass(failpoint at) {
    switch (pg::pass(at)) {
        case injected::nothing:
            break;
        case injected::cut:
            ::shutdown(PQsocket(raw_), SHUT_RDWR);
            break;
        case injected::error:
            exec_script(std::string{sql::inject_failure});
            break;
    }
}

bool connection::wait_notification(std::chrono::milliseconds at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    for (;;) {
        if (PQconsumeInput(raw_) != 1) {
            throw_lost(raw_, false);
        }
        if (PGnotify* const heard = PQnotifies(raw_)) {
            PQfreemem(heard);
            return true;
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return false;
        }
        pollfd readable{PQsocket(raw_), POLLIN, 0};
        ::poll(&readable, 1, static_cast<int>(left.count()));
    }
}

pg::result connection::checked(pg_result* raw, bool commits) {
    pg::result answer{raw};
    try {
        if (raw == nullptr) {
            throw_lost(raw_, commits);
        }
        check_answer(raw_, answer, commits);
    } catch (const sql_failure& what) {
        poisoned_ = what.poisons_connection();
        throw;
    }
    return answer;
}

bool connection::broken() const noexcept {
    return poisoned_ || PQstatus(raw_) == CONNECTION_BAD;
}

bool connection::idle() const noexcept {
    return PQpipelineStatus(raw_) == PQ_PIPELINE_OFF && PQtransactionStatus(raw_) != PQTRANS_ACTIVE;
}

bool connection::in_transaction() const noexcept {
    const PGTransactionStatusType status = PQtransactionStatus(raw_);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

bool connection::pooled() {
    return exec(sql::backend_pid).int64(0, 0) != PQbackendPID(raw_);
}

void connection::begin() {
    if (in_transaction()) {
        // The inner end would end the outer one.
        throw std::logic_error{"a transaction within a transaction"};
    }
    if (prologue_.empty()) {
        exec_outside("BEGIN");
        return;
    }
    drain_idle_input(raw_);
    if (broken()) {
        throw_lost(raw_, false);
    }
    try {
        // In one message; nothing in it commits.
        checked(PQexec(raw_, ("BEGIN; " + prologue_).c_str()), false);
    } catch (const sql_failure&) {
        roll_back();
        throw;
    }
}

void connection::roll_back() noexcept {
    if (broken() || !in_transaction()) {
        return;
    }
    try {
        exec_outside("ROLLBACK");
    } catch (const sql_failure&) {
        // The connection is lost, and the server rolls back by itself.
        return;
    }
}

transaction::transaction(connection& on) : on_{on} {
    on_.begin();
}

transaction::~transaction() {
    if (open_) {
        on_.roll_back();
    }
}

void transaction::commit() {
    open_ = false;
    on_.exec_outside("COMMIT");
}

}  // namespace libqueue::pg
