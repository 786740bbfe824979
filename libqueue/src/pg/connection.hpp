#pragma once

#include "pg/failpoint.hpp"
#include "pg/params.hpp"
#include "pg/result.hpp"

#include <libqueue/error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_conn;

namespace libqueue::pg {

/// A server error with its SQLSTATE, or the loss of the connection (empty SQLSTATE).
class sql_failure : public failure {
   public:
    sql_failure(const std::string& message, std::string sqlstate, bool connection_lost,
                bool outcome_unknown, std::string hint);
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

   private:
    std::string hint_;
};

/// The typed domain error a server error stands for: our own SQLSTATEs of class LQ, and those by
/// which PostgreSQL refuses a payload or a name. Nothing for all others.
[[nodiscard]] std::optional<error> domain_error(const sql_failure& what);

/// One blocking connection: what producers and operators use. Statements are plain text with
/// parameters and text results, so it also works through a transaction pooler.
class connection {
   public:
    connection(const std::string& dsn, const std::string& application_name,
               std::chrono::milliseconds connect_timeout);
    /// Borrows a caller's connection; never closes it, never begins or ends its transactions.
    explicit connection(pg_conn* borrowed) noexcept;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    /// What every transaction of this connection begins with from now on, as SQL; a statement
    /// outside of one then gets a transaction of its own. Empty: nothing.
    void set_prologue(std::string sql) { prologue_ = std::move(sql); }
    /// Runs one statement. Throws sql_failure.
    pg::result exec(std::string_view sql, const params& parameters = {});
    /// Without the prologue: for what cannot run inside a transaction.
    pg::result exec_outside(std::string_view sql, const params& parameters = {});
    /// BEGIN and the prologue. Throws sql_failure, and no transaction is open then.
    void begin();
    /// A place where tests make faults happen to this connection or process.
    void pass(failpoint at);
    /// Runs a script of several statements without parameters.
    void exec_script(const std::string& sql);

    /// Waits until a notification arrives, which is taken; false when the time is up.
    [[nodiscard]] bool wait_notification(std::chrono::milliseconds at_most);

    /// Lost, or poisoned by an error after which it must not be used.
    [[nodiscard]] bool broken() const noexcept;
    /// Between commands and not in pipeline mode.
    [[nodiscard]] bool idle() const noexcept;
    [[nodiscard]] bool in_transaction() const noexcept;
    /// Asks whether a pooler stands between: then nothing may be left in the session.
    [[nodiscard]] bool pooled();
    [[nodiscard]] pg_conn* raw() const noexcept { return raw_; }

   private:
    pg::result checked(pg_result* raw, bool commits);
    void roll_back() noexcept;

    friend class transaction;

    std::string prologue_;
    pg_conn* raw_;
    bool owned_;
    bool poisoned_{false};
};

/// BEGIN … COMMIT around a scope; rolls back unless committed. A COMMIT whose answer was lost
/// throws a failure with outcome_unknown().
class transaction {
   public:
    explicit transaction(connection& on);
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;
    ~transaction();
    void commit();

   private:
    connection& on_;
    bool open_{true};
};

}  // namespace libqueue::pg
