#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

struct pg_conn;

namespace test {

/// The server refused a statement or the connection.
class sql_error : public std::runtime_error {
   public:
    sql_error(const std::string& message, std::string sqlstate)
        : std::runtime_error{message}, sqlstate_{std::move(sqlstate)} {}
    /// Five characters; empty when the connection failed.
    [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }

   private:
    std::string sqlstate_;
};

using field = std::optional<std::string>;  ///< text as the server writes it; nothing for NULL
using row = std::vector<field>;
using parameters = std::vector<field>;

/// A blocking connection of the test's own, independent of the code under test. `$1`… take text
/// parameters; without parameters several statements may be given at once.
class connection {
   public:
    explicit connection(const std::string& dsn);
    [[nodiscard]] std::vector<row> rows(const std::string& sql, const parameters& params = {});
    /// First field of the first row; empty when there is none or it is NULL.
    [[nodiscard]] std::string query(const std::string& sql, const parameters& params = {});
    void execute(const std::string& sql, const parameters& params = {});
    /// For functions that take the caller's own PGconn*.
    [[nodiscard]] pg_conn* get() const noexcept { return conn_.get(); }

   private:
    class closer {
       public:
        void operator()(pg_conn* conn) const noexcept;
    };
    std::unique_ptr<pg_conn, closer> conn_;
};

/// The same on a connection of one call.
[[nodiscard]] std::string query(const std::string& dsn, const std::string& sql,
                                const parameters& params = {});
[[nodiscard]] std::vector<row> rows(const std::string& dsn, const std::string& sql,
                                    const parameters& params = {});
void execute(const std::string& dsn, const std::string& sql, const parameters& params = {});

}  // namespace test
