#include "pg/connection.hpp"

#include <libqueue/testing.hpp>

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <vector>

extern char** environ;

namespace libqueue::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

fs::path server_programs() {
    std::vector<fs::path> found;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", missing}) {
        if (fs::exists(entry.path() / "bin" / "initdb")) {
            found.push_back(entry.path() / "bin");
        }
    }
    if (found.empty()) {
        throw std::runtime_error{
            "expected /usr/lib/postgresql/*/bin/initdb, found none; hint: apt-get install "
            "postgresql-15, or name a server in LIBQUEUE_TEST_DSN"};
    }
    return *std::max_element(found.begin(), found.end());
}

/// PostgreSQL refuses to run as root.
const passwd* other_user() {
    if (::geteuid() != 0) {
        return nullptr;
    }
    const passwd* postgres = ::getpwnam("postgres");
    return postgres != nullptr ? postgres : ::getpwnam("nobody");
}

fs::path make_folder() {
    std::string pattern = (fs::temp_directory_path() / "lqt.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), "mkdtemp " + pattern};
    }
    if (const passwd* user = other_user();
        user != nullptr && ::chown(pattern.c_str(), user->pw_uid, user->pw_gid) != 0) {
        throw std::system_error{errno, std::generic_category(), "chown " + pattern};
    }
    return pattern;
}

/// A child that is told by the kernel when we are gone. Its output goes into `log`.
pid_t start(std::vector<std::string> command, const fs::path& log) {
    std::vector<std::string> words{"setpriv", "--pdeathsig", "QUIT"};
    if (const passwd* user = other_user(); user != nullptr) {
        words.insert(words.end(), {"--reuid", std::to_string(user->pw_uid), "--regid",
                                   std::to_string(user->pw_gid), "--clear-groups"});
    }
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    // A group of its own: an interrupt at the terminal is ours to handle.
    posix_spawnattr_t how;
    ::posix_spawnattr_init(&how);
    ::posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP);
    pid_t child = -1;
    const int fault = ::posix_spawnp(&child, argv[0], &files, &how, argv.data(), environ);
    ::posix_spawnattr_destroy(&how);
    ::posix_spawn_file_actions_destroy(&files);
    if (fault != 0) {
        throw std::system_error{fault, std::generic_category(), "setpriv " + command.front()};
    }
    return child;
}

/// The exit status when it has ended within the time.
std::optional<int> wait_for(pid_t child, std::chrono::milliseconds at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    for (;;) {
        int status = 0;
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR)) {
            return status;
        }
        if (std::chrono::steady_clock::now() >= until) {
            return std::nullopt;
        }
        std::this_thread::sleep_for(5ms);
    }
}

std::string text_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

}  // namespace

class server::impl {
   public:
    impl() : folder_{make_folder()}, log_{folder_ / "log"} {
        try {
            initialise();
            run();
        } catch (...) {
            end();
            throw;
        }
    }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() { end(); }

    [[nodiscard]] std::string dsn(std::string_view database) const {
        return "host=" + folder_.string() + " user=postgres dbname=" + std::string{database};
    }

   private:
    void initialise() {
        const pid_t child =
            start({(server_programs() / "initdb").string(),
                   "--pgdata=" + (folder_ / "data").string(), "--username=postgres", "--auth=trust",
                   "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
                  log_);
        if (wait_for(child, 60s) != 0) {
            throw std::runtime_error{"initdb failed:\n" + text_of(log_)};
        }
    }

    void run() {
        server_ =
            start({(server_programs() / "postgres").string(), "-D", (folder_ / "data").string(),
                   "-k", folder_.string(), "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                   "full_page_writes=off", "-c", "libqueue.allow_unsafe_durability=on", "-c",
                   "shared_buffers=32MB", "-c", "logging_collector=off"},
                  log_);
        const auto until = std::chrono::steady_clock::now() + 60s;
        while (true) {
            try {
                const pg::connection probe{dsn("postgres"), "libqueue testing", 5s};
                return;
            } catch (const failure&) {
                if (std::chrono::steady_clock::now() >= until || wait_for(server_, 0ms)) {
                    throw std::runtime_error{"PostgreSQL did not start:\n" + text_of(log_)};
                }
            }
            std::this_thread::sleep_for(10ms);
        }
    }

    void end() noexcept {
        if (server_ > 0) {
            ::kill(server_, SIGINT);
            if (!wait_for(server_, 30s)) {
                ::kill(server_, SIGKILL);
                wait_for(server_, 30s);
            }
        }
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    fs::path folder_;
    fs::path log_;
    pid_t server_{-1};
};

server::server() : impl_{std::make_unique<impl>()} {}
server::~server() = default;

std::string server::dsn(std::string_view database) const {
    return impl_->dsn(database);
}

server& server::shared() {
    static server one;
    return one;
}

}  // namespace libqueue::testing
