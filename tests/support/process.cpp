#include "process.hpp"

#include "wait_until.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace test {

namespace {

struct user_ids {
    uid_t uid;
    gid_t gid;
};

user_ids ids_of(const std::string& user) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr) {
        throw std::runtime_error{"no such user: " + user};
    }
    return {entry->pw_uid, entry->pw_gid};
}

std::vector<std::string> environment(const process_options& options) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text{*entry};
        const auto name = text.substr(0, text.find('='));
        bool replaced = false;
        for (const auto& added : options.env) {
            replaced = replaced || added.first == name;
        }
        if (!replaced) {
            result.push_back(text);
        }
    }
    for (const auto& [name, value] : options.env) {
        result.push_back(name + "=" + value);
    }
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) {
        result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
}

void redirect(const char* path, int flags, int target) {
    const int fd = ::open(path, flags, 0600);
    if (fd < 0 || ::dup2(fd, target) < 0) {
        ::_exit(126);
    }
    ::close(fd);
}

// Between fork and exec only async-signal-safe calls are allowed: other threads may have held
// any lock, malloc's included. Everything is prepared before.
struct child_plan {
    char** argv;
    char** envp;
    const char* program;
    const char* in;
    const char* out;
    const char* err;
    const char* working_dir;
    std::optional<user_ids> user;
    int death_signal;
    pid_t parent;
    int report;
};

[[noreturn]] void run_child(const child_plan& plan) {
    redirect(plan.in, O_RDONLY, STDIN_FILENO);
    redirect(plan.out, O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO);
    redirect(plan.err, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
    // Its own group: a Ctrl-C at the terminal reaches it through us, in our order.
    ::setpgid(0, 0);
    bool ok = *plan.working_dir == '\0' || ::chdir(plan.working_dir) == 0;
    if (plan.user) {
        ok = ok && ::setgroups(0, nullptr) == 0 && ::setgid(plan.user->gid) == 0 &&
             ::setuid(plan.user->uid) == 0;
    }
    // After setuid, which clears it; and our parent may be gone already.
    ::prctl(PR_SET_PDEATHSIG, plan.death_signal);
    if (::getppid() != plan.parent) {
        ::_exit(125);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (ok) {
        ::execvpe(plan.program, plan.argv, plan.envp);
    }
    const int error = errno;
    const auto written = ::write(plan.report, &error, sizeof error);
    ::_exit(written > 0 ? 127 : 126);
}

}  // namespace

process::process(const process_options& options) {
    const std::string program = options.program.string();
    std::vector<std::string> args{program};
    args.insert(args.end(), options.args.begin(), options.args.end());
    auto env = environment(options);
    auto argv = pointers(args);
    auto envp = pointers(env);
    const std::string in = files_.write("stdin", options.stdin_text).string();
    const std::string out = files_.write("stdout", "").string();
    const std::string err = files_.write("stderr", "").string();
    const std::string working_dir = options.working_dir.string();
    int report[2];
    if (::pipe2(report, O_CLOEXEC) != 0) {
        throw std::system_error{errno, std::generic_category(), "pipe2"};
    }
    const child_plan plan{
        .argv = argv.data(),
        .envp = envp.data(),
        .program = program.c_str(),
        .in = in.c_str(),
        .out = out.c_str(),
        .err = err.c_str(),
        .working_dir = working_dir.c_str(),
        .user = options.run_as ? std::optional{ids_of(*options.run_as)} : std::nullopt,
        .death_signal = options.parent_death_signal,
        .parent = ::getpid(),
        .report = report[1],
    };
    pid_ = ::fork();
    if (pid_ == 0) {
        run_child(plan);
    }
    ::close(report[1]);
    int error = 0;
    const bool failed = pid_ < 0 || ::read(report[0], &error, sizeof error) > 0;
    ::close(report[0]);
    if (failed) {
        if (pid_ > 0) {
            ::waitpid(pid_, nullptr, 0);
        }
        throw std::runtime_error{"cannot run " + program + ": " + std::strerror(error)};
    }
}

process::~process() {
    kill();
}

void process::reap(int options) {
    if (ended_) {
        return;
    }
    int status = 0;
    if (::waitpid(pid_, &status, options) != pid_) {
        return;
    }
    if (WIFEXITED(status)) {
        ended_ = exit_status{.code = WEXITSTATUS(status), .signal = std::nullopt};
    } else {
        ended_ = exit_status{.code = std::nullopt, .signal = WTERMSIG(status)};
    }
}

bool process::running() {
    reap(WNOHANG);
    return !ended_;
}

void process::signal(int number) {
    if (running()) {
        ::kill(pid_, number);
    }
}

std::optional<exit_status> process::wait(std::chrono::milliseconds deadline) {
    if (wait_until([this] { return !running(); }, deadline)) {
        return ended_;
    }
    return std::nullopt;
}

void process::kill() {
    signal(SIGKILL);
    reap(0);
}

std::string process::output() const {
    return read_file(files_.path() / "stdout");
}

std::string process::errors() const {
    return read_file(files_.path() / "stderr");
}

bool process::wait_for_text(const std::string& text, std::chrono::milliseconds deadline) {
    const auto said = [&] {
        return output().find(text) != std::string::npos || errors().find(text) != std::string::npos;
    };
    const bool over = wait_until([&] { return said() || !running(); }, deadline);
    return over && said();
}

command_result run_command(const process_options& options, std::chrono::milliseconds deadline) {
    process child{options};
    const auto status = child.wait(deadline);
    if (!status) {
        throw std::runtime_error{options.program.string() + " still runs at its deadline\n" +
                                 child.output() + child.errors()};
    }
    return {status->code ? *status->code : 128 + *status->signal, child.output(), child.errors()};
}

std::filesystem::path binary(const std::string& name) {
    return std::filesystem::path{LIBQUEUE_TEST_BINARY_DIR} / name;
}

std::filesystem::path source_dir() {
    return LIBQUEUE_TEST_SOURCE_DIR;
}

}  // namespace test
