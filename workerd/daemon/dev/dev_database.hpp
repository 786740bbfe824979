#pragma once

#include "dev/child_process.hpp"
#include "dev/dev_folder.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace workerd {

/// A private PostgreSQL: a direct child of this process, reachable through a Unix socket only, its
/// cluster made at the first start and used again later. fsync stays on, so dev mode shows honest
/// speeds and survives a crash. PostgreSQL stops when this process dies, however it dies.
class dev_database {
   public:
    /// Makes the cluster if need be and starts the server; returns when it accepts connections.
    /// Throws std::runtime_error with a line for the user.
    dev_database(const dev_folder& folder, const std::optional<system_user>& user);
    dev_database(const dev_database&) = delete;
    dev_database& operator=(const dev_database&) = delete;
    /// As stop().
    ~dev_database();

    /// Fast shutdown; harder after 10 s.
    void stop() noexcept;

    [[nodiscard]] std::string dsn() const;
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::string psql_command() const;
    /// Readable when PostgreSQL has ended.
    [[nodiscard]] int pid_descriptor() const noexcept { return server_->pid_descriptor(); }
    [[nodiscard]] pid_t pid() const noexcept { return server_->pid(); }

   private:
    void create_cluster(const std::filesystem::path& binaries);
    void run_to_end(child_options options, const char* what) const;
    void await_previous_server() const;
    void await_ready();
    [[nodiscard]] std::string log_tail() const;

    const dev_folder& folder_;
    std::optional<system_user> user_;
    std::unique_ptr<child_process> server_;
};

}  // namespace workerd
