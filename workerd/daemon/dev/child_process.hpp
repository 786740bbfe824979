#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace workerd {

/// A user to run a child as, when we are root and the child must not be.
struct system_user {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
};

/// Who runs PostgreSQL: nobody else than us, or, when we are root (which initdb refuses), the user
/// `postgres`, else `nobody`.
[[nodiscard]] std::optional<system_user> unprivileged_user();

struct child_options {
    /// Program (an absolute path) and arguments.
    std::vector<std::string> command;
    std::optional<system_user> run_as;
    std::filesystem::path work_folder = "/";
    /// What the child prints is appended here; empty: it prints where we do.
    std::filesystem::path log_file;
    /// What the child reads; empty: nothing.
    std::filesystem::path input_file;
    /// Sent to the child when this process dies, however it dies.
    int death_signal = 0;
};

/// A direct child in a process group of its own: Ctrl-C in the terminal must reach workerd only,
/// which then stops the child when its work is done. The destructor kills and reaps. Must be
/// created on a thread that lives as long as the child: the death signal follows the thread.
class child_process {
   public:
    /// Throws std::runtime_error when the program cannot be started.
    explicit child_process(const child_options& options);
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// Readable when the child has ended.
    [[nodiscard]] int pid_descriptor() const noexcept { return pid_descriptor_; }
    void signal(int number) const noexcept;
    /// Waits at most `time`; the exit status as waitpid() gives it, nothing while it runs.
    [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds time);

   private:
    pid_t pid_ = -1;
    int pid_descriptor_ = -1;
    std::optional<int> status_;
};

/// "exit code 1", "signal 9".
[[nodiscard]] std::string exit_text(int status);

}  // namespace workerd
