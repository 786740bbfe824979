#include "dev/child_process.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace workerd {

namespace {

// Everything the child needs, made before the fork: after it, only async-signal-safe calls.
struct prepared_child {
    std::vector<char*> arguments;
    std::string work_folder;
    std::optional<system_user> run_as;
    int input = -1;
    int output = -1;
    int failure_pipe = -1;
    int death_signal = 0;
    pid_t parent = 0;
};

[[noreturn]] void give_up(const prepared_child& child) {
    const int error = errno;
    // Nothing can be done when even this fails; the parent then sees the exit code.
    [[maybe_unused]] const auto written = ::write(child.failure_pipe, &error, sizeof error);
    ::_exit(127);
}

[[noreturn]] void become_child(const prepared_child& child) {
    if (::setpgid(0, 0) != 0)
        give_up(child);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (child.run_as) {
        const auto& user = *child.run_as;
        if (::setgroups(0, nullptr) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)
            give_up(child);
    }
    // After setuid, which clears it. The parent may have died before this line, hence the check.
    if (child.death_signal != 0) {
        if (::prctl(PR_SET_PDEATHSIG, child.death_signal) != 0)
            give_up(child);
        if (::getppid() != child.parent)
            ::_exit(127);
    }
    if (::chdir(child.work_folder.c_str()) != 0)
        give_up(child);
    if (::dup2(child.input, STDIN_FILENO) < 0)
        give_up(child);
    if (child.output >= 0 &&
        (::dup2(child.output, STDOUT_FILENO) < 0 || ::dup2(child.output, STDERR_FILENO) < 0))
        give_up(child);
    ::execv(child.arguments.front(), child.arguments.data());
    give_up(child);
}

int open_or_throw(const std::filesystem::path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (descriptor < 0)
        throw std::runtime_error{
            fmt::format("cannot open {}: {}", path.string(), std::strerror(errno))};
    return descriptor;
}

}  // namespace

std::optional<system_user> unprivileged_user() {
    if (::geteuid() != 0)
        return std::nullopt;
    for (const char* name : {"postgres", "nobody"}) {
        if (const auto* entry = ::getpwnam(name))
            return system_user{name, entry->pw_uid, entry->pw_gid};
    }
    throw std::runtime_error{"expected a user postgres or nobody to run PostgreSQL as, got none"};
}

child_process::child_process(const child_options& options) {
    prepared_child child;
    auto command = options.command;
    for (auto& argument : command)
        child.arguments.push_back(argument.data());
    child.arguments.push_back(nullptr);
    child.work_folder = options.work_folder.string();
    child.run_as = options.run_as;
    child.death_signal = options.death_signal;
    child.parent = ::getpid();
    std::array<int, 2> failure{};
    child.input =
        open_or_throw(options.input_file.empty() ? "/dev/null" : options.input_file, O_RDONLY);
    if (!options.log_file.empty())
        child.output = open_or_throw(options.log_file, O_WRONLY | O_APPEND | O_CREAT);
    if (::pipe2(failure.data(), O_CLOEXEC) != 0)
        throw std::runtime_error{"cannot make a pipe"};
    child.failure_pipe = failure[1];

    pid_ = ::fork();
    if (pid_ == 0)
        become_child(child);
    ::close(child.input);
    if (child.output >= 0)
        ::close(child.output);
    ::close(failure[1]);
    if (pid_ < 0) {
        ::close(failure[0]);
        throw std::runtime_error{fmt::format("cannot fork: {}", std::strerror(errno))};
    }
    // The write end closes when exec succeeds, so this ends either way.
    int error = 0;
    const auto got = ::read(failure[0], &error, sizeof error);
    ::close(failure[0]);
    if (got == static_cast<ssize_t>(sizeof error)) {
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
        throw std::runtime_error{
            fmt::format("cannot start {}: {}", options.command.front(), std::strerror(error))};
    }
    // glibc 2.36 declares pidfd_open() without C linkage, so its own function cannot be linked.
    pid_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (pid_descriptor_ < 0) {
        signal(SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        throw std::runtime_error{fmt::format("cannot watch a child: {}", std::strerror(errno))};
    }
}

child_process::~child_process() {
    if (pid_ > 0 && !status_) {
        signal(SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
    if (pid_descriptor_ >= 0)
        ::close(pid_descriptor_);
}

void child_process::signal(int number) const noexcept {
    if (pid_ > 0 && !status_)
        ::kill(pid_, number);
}

std::optional<int> child_process::wait(std::chrono::milliseconds time) {
    if (status_)
        return status_;
    pollfd watched{};
    watched.fd = pid_descriptor_;
    watched.events = POLLIN;
    const auto end = std::chrono::steady_clock::now() + time;
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        const auto ready =
            ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return std::nullopt;
        break;
    }
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_)
        status_ = status;
    return status_;
}

std::string exit_text(int status) {
    if (WIFSIGNALED(status))
        return fmt::format("signal {}", WTERMSIG(status));
    return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace workerd
