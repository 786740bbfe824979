#pragma once

#include "process.hpp"
#include "temp_dir.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace test {

/// A real PgBouncer in front of a server on a unix socket, a child that dies with this process.
/// It refuses to run as root, so it runs as the user the servers run as.
class pgbouncer {
   public:
    /// `mode`: pool_mode. `settings`: more lines of the section [pgbouncer], "name = value".
    explicit pgbouncer(const std::string& socket_dir, const std::string& mode = "transaction",
                       std::vector<std::string> settings = {});
    ~pgbouncer();
    pgbouncer(const pgbouncer&) = delete;
    pgbouncer& operator=(const pgbouncer&) = delete;

    [[nodiscard]] std::string dsn(const std::string& database) const;
    [[nodiscard]] std::string socket_dir() const { return dir_.path().string(); }
    static constexpr unsigned short port = 6432;

    void start();
    /// SIGKILL.
    void kill();

   private:
    temp_dir dir_;
    std::optional<std::string> run_as_;
    std::unique_ptr<process> server_;
};

}  // namespace test
