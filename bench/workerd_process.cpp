#include "bench/workerd_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace bench {

workerd_process::workerd_process(const std::string& program, const std::string& config)
    : log_{config + ".log"} {
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    constexpr int mode = 0644;
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, mode);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    std::string name = program;
    std::string flag = "--config";
    std::string file = config;
    const std::array<char*, 4> args{name.data(), flag.data(), file.data(), nullptr};
    const int failed =
        ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, args.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw std::system_error{failed, std::generic_category(), program};
    }
}

workerd_process::~workerd_process() {
    if (pid_ > 0) {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
}

void workerd_process::check() {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        // The log goes with the cluster's folder.
        std::ostringstream said;
        said << std::ifstream{log_}.rdbuf();
        throw std::runtime_error{"workerd ended by itself:\n" + said.str()};
    }
}

}  // namespace bench
