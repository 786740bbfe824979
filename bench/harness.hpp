#pragma once

#include <boost/json/object.hpp>
#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

// What every measurement needs: its arguments, a connection, times and figures.

namespace bench {

using clock = std::chrono::steady_clock;

[[nodiscard]] double seconds_between(clock::time_point from, clock::time_point to);

/// `--name value` pairs; a flag is `--name` alone. Throws std::runtime_error naming what is wrong.
class arguments {
   public:
    arguments(int count, char** values);
    [[nodiscard]] std::string text(const std::string& name) const;
    [[nodiscard]] std::string text_or(const std::string& name, const std::string& otherwise) const;
    [[nodiscard]] std::int64_t number(const std::string& name) const;
    [[nodiscard]] std::int64_t number_or(const std::string& name, std::int64_t otherwise) const;
    [[nodiscard]] bool flag(const std::string& name) const { return values_.contains(name); }

   private:
    std::map<std::string, std::string> values_;
};

class clear_result {
   public:
    void operator()(PGresult* result) const { PQclear(result); }
};
using rows = std::unique_ptr<PGresult, clear_result>;

/// Throws std::runtime_error with the server's message when `result` is an error.
[[nodiscard]] rows checked(PGconn* connection, PGresult* result);

/// A plain libpq connection; the limits are measured without any of our code in between.
class session {
   public:
    explicit session(const std::string& dsn);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    void exec(const std::string& sql);
    /// First column of the first row.
    [[nodiscard]] std::int64_t number(const std::string& sql);
    void prepare(const std::string& name, const std::string& sql);
    /// A prepared statement with parameters and results as text.
    [[nodiscard]] rows run(const std::string& name, std::initializer_list<const char*> values = {});
    [[nodiscard]] PGconn* raw() noexcept { return connection_; }

   private:
    PGconn* connection_;
};

/// A transaction of another session that sees the database as it was: nothing deleted since then
/// can be cleaned away while it lives.
class old_snapshot {
   public:
    explicit old_snapshot(const std::string& dsn);

   private:
    session session_;
};

/// Processor time this process has used so far, all threads.
[[nodiscard]] double cpu_seconds();

/// Bytes of WAL written so far.
[[nodiscard]] std::int64_t wal_position(session& db);

/// JSON text of exactly 110 bytes, different for each number.
[[nodiscard]] std::string payload(std::int64_t number);

/// The value below which `share` of the values lie (nearest rank). Sorts them.
[[nodiscard]] double percentile(std::vector<double>& values, double share);

/// p50_ms, p90_ms, p99_ms, max_ms and count.
[[nodiscard]] boost::json::object summary(std::vector<double> milliseconds);

}  // namespace bench
