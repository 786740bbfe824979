#pragma once

#include "temp_dir.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace test {

/// How a process ended: `code` when it exited, `signal` when one killed it.
struct exit_status {
    std::optional<int> code;
    std::optional<int> signal;
};

class process_options {
   public:
    explicit process_options(std::filesystem::path program_, std::vector<std::string> args_ = {})
        : program{std::move(program_)}, args{std::move(args_)} {}

    std::filesystem::path program;                         ///< looked up on PATH without a slash
    std::vector<std::string> args;                         ///< without argv[0]
    std::vector<std::pair<std::string, std::string>> env;  ///< added to ours; same name replaces
    std::string stdin_text;                                ///< then end of file
    std::filesystem::path working_dir;                     ///< empty: ours
    std::optional<std::string> run_as;                     ///< user; needs root
    int parent_death_signal{9};  ///< what it gets when this test process dies
};
static_assert(!std::is_aggregate_v<process_options>);

/// A real child process. Output goes to files, so it never blocks on us. Use from one thread, the
/// one that lives longest: the kernel sends the death signal when the *thread* that forked ends.
class process {
   public:
    /// Throws std::runtime_error when the program cannot be executed.
    explicit process(const process_options& options);
    /// Kills it (SIGKILL) when it still runs.
    ~process();
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] bool running();
    /// Does nothing when it has ended.
    void signal(int number);
    /// Nothing when it still runs at the deadline.
    [[nodiscard]] std::optional<exit_status> wait(
        std::chrono::milliseconds deadline = std::chrono::seconds{10});
    /// SIGKILL and wait.
    void kill();

    [[nodiscard]] std::string output() const;  ///< stdout so far
    [[nodiscard]] std::string errors() const;  ///< stderr so far
    /// True as soon as stdout or stderr contains `text`.
    [[nodiscard]] bool wait_for_text(const std::string& text,
                                     std::chrono::milliseconds deadline = std::chrono::seconds{10});

   private:
    void reap(int options);

    temp_dir files_;
    pid_t pid_{-1};
    std::optional<exit_status> ended_;
};

/// What a finished command said.
struct command_result {
    int code;  ///< 128 + signal when killed, as a shell says it
    std::string output;
    std::string errors;
};

/// Runs to its end; throws std::runtime_error (and kills it) at the deadline.
[[nodiscard]] command_result run_command(const process_options& options,
                                         std::chrono::milliseconds deadline = std::chrono::seconds{
                                             60});

/// Path of a program of this build: "workerd", "qctl".
[[nodiscard]] std::filesystem::path binary(const std::string& name);

/// Root of the source tree, for files such as examples and golden texts.
[[nodiscard]] std::filesystem::path source_dir();

}  // namespace test
