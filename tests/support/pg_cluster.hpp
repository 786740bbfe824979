#pragma once

#include "process.hpp"
#include "temp_dir.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace test {

class pg_cluster_options {
   public:
    pg_cluster_options() = default;
    /// Off is many times faster and safe against everything but a crash of the *machine*; a
    /// kill -9 of the postmaster loses nothing either way.
    bool fsync{false};
    std::vector<std::string> settings;  ///< "name=value", after and over the defaults
};

/// A private PostgreSQL: initdb into a temporary directory, unix socket only, the postmaster a
/// child that dies with this process. As root the server runs as `postgres` or `nobody`.
class pg_cluster {
   public:
    explicit pg_cluster(pg_cluster_options options = {});
    /// A hot standby that streams from `primary`, which must be up.
    pg_cluster(const pg_cluster& primary, pg_cluster_options options);
    /// Fast shutdown; the directory goes too.
    ~pg_cluster();
    pg_cluster(const pg_cluster&) = delete;
    pg_cluster& operator=(const pg_cluster&) = delete;

    /// Superuser connection string (libpq keyword form) of a database.
    [[nodiscard]] std::string dsn(const std::string& database = "postgres") const;
    [[nodiscard]] std::string socket_dir() const;

    /// Starts the stopped or killed server and waits until it accepts connections.
    void start();
    /// SIGINT: sessions are cut, the data is flushed.
    void stop();
    /// SIGKILL to the postmaster: crash recovery at the next start.
    void kill();
    /// Ends standby mode; returns when it takes writes.
    void promote();
    /// Throws its data away (it must be stopped or killed) and starts as a standby of `primary`.
    void follow(const pg_cluster& primary);
    /// SIGSTOP / SIGCONT to the postmaster: new connections hang, running ones go on.
    void freeze();
    void thaw();
    [[nodiscard]] pid_t postmaster_pid() const;
    [[nodiscard]] std::string log() const;

    /// The cluster of this executable, made at its first use: that of the environment variable
    /// LIBQUEUE_TEST_PG_SOCKET_DIR when set (then it cannot be stopped), else a private one.
    [[nodiscard]] static pg_cluster& shared();

   private:
    class external {};
    pg_cluster(external, std::string socket_dir);
    void initialise();
    void copy_from(const pg_cluster& primary);

    pg_cluster_options options_;
    std::optional<temp_dir> dir_;
    std::string socket_dir_;
    std::optional<std::string> run_as_;
    std::unique_ptr<process> server_;
    std::string earlier_log_;
};

/// The user servers run as, when we are root and they refuse that; nothing otherwise.
[[nodiscard]] std::optional<std::string> server_user();
void give_to(const std::filesystem::path& path, const std::string& user);

/// Folder of initdb and postgres; throws std::runtime_error with the package to install.
[[nodiscard]] std::filesystem::path pg_bin_dir();

}  // namespace test
