#include "pg_cluster.hpp"

#include "query.hpp"
#include "wait_until.hpp"

#include <libpq-fe.h>

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace test {

std::optional<std::string> server_user() {
    if (::geteuid() != 0) {
        return std::nullopt;
    }
    return ::getpwnam("postgres") != nullptr ? "postgres" : "nobody";
}

void give_to(const std::filesystem::path& path, const std::string& user) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr || ::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
        throw std::system_error{errno, std::generic_category(), "chown " + path.string()};
    }
}

std::filesystem::path pg_bin_dir() {
    std::vector<std::filesystem::path> found;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator{"/usr/lib/postgresql", missing}) {
        if (std::filesystem::exists(entry.path() / "bin" / "initdb")) {
            found.push_back(entry.path() / "bin");
        }
    }
    if (found.empty()) {
        throw std::runtime_error{
            "expected /usr/lib/postgresql/*/bin/initdb, found none; hint: apt-get install "
            "postgresql-15"};
    }
    return *std::max_element(found.begin(), found.end());
}

pg_cluster::pg_cluster(pg_cluster_options options)
    : options_{std::move(options)}, dir_{std::in_place}, run_as_{server_user()} {
    socket_dir_ = dir_->path().string();
    if (run_as_) {
        give_to(dir_->path(), *run_as_);
    }
    initialise();
    start();
}

pg_cluster::pg_cluster(const pg_cluster& primary, pg_cluster_options options)
    : options_{std::move(options)}, dir_{std::in_place}, run_as_{server_user()} {
    socket_dir_ = dir_->path().string();
    if (run_as_) {
        give_to(dir_->path(), *run_as_);
    }
    copy_from(primary);
    start();
}

pg_cluster::pg_cluster(external, std::string socket_dir) : socket_dir_{std::move(socket_dir)} {}

pg_cluster::~pg_cluster() {
    if (server_) {
        stop();
    }
}

void pg_cluster::initialise() {
    process_options initdb{
        pg_bin_dir() / "initdb",
        {"--pgdata=" + (dir_->path() / "data").string(), "--username=postgres", "--auth=trust",
         "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"}};
    initdb.run_as = run_as_;
    initdb.working_dir = dir_->path();
    const auto done = run_command(initdb, std::chrono::seconds{60});
    if (done.code != 0) {
        throw std::runtime_error{"initdb failed: " + done.output + done.errors};
    }
}

void pg_cluster::copy_from(const pg_cluster& primary) {
    process_options copy{
        pg_bin_dir() / "pg_basebackup",
        {"--pgdata=" + (dir_->path() / "data").string(), "--host=" + primary.socket_dir(),
         "--username=postgres", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"}};
    copy.run_as = run_as_;
    copy.working_dir = dir_->path();
    const auto done = run_command(copy, std::chrono::seconds{60});
    if (done.code != 0) {
        throw std::runtime_error{"pg_basebackup failed: " + done.output + done.errors};
    }
}

void pg_cluster::promote() {
    if (test::query(dsn(), "SELECT pg_promote(true, 30)") != "t") {
        throw std::runtime_error{"the standby was not promoted:\n" + log()};
    }
}

void pg_cluster::follow(const pg_cluster& primary) {
    std::filesystem::remove_all(dir_->path() / "data");
    copy_from(primary);
    start();
}

std::string pg_cluster::dsn(const std::string& database) const {
    return "host=" + socket_dir_ + " user=postgres dbname=" + database;
}

std::string pg_cluster::socket_dir() const {
    return socket_dir_;
}

void pg_cluster::start() {
    if (!dir_) {
        throw std::logic_error{"the shared cluster of the environment is not ours to start"};
    }
    const std::string sync = options_.fsync ? "on" : "off";
    process_options postgres{pg_bin_dir() / "postgres",
                             {"-D", (dir_->path() / "data").string(), "-k", socket_dir_}};
    std::vector<std::string> settings{
        "listen_addresses=",
        "max_connections=200",
        "shared_buffers=64MB",
        "timezone=UTC",
        "fsync=" + sync,
        "full_page_writes=" + sync,
        std::string{"libqueue.allow_unsafe_durability="} + (options_.fsync ? "off" : "on"),
        "logging_collector=off",
        "log_line_prefix=%m %p %q%d ",
        "max_prepared_transactions=20"};
    settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
    for (const auto& setting : settings) {
        postgres.args.insert(postgres.args.end(), {"-c", setting});
    }
    postgres.run_as = run_as_;
    postgres.working_dir = dir_->path();
    postgres.parent_death_signal = SIGQUIT;

    // After a kill -9 the old backends hold the shared memory for a moment; a start that loses
    // that race exits, and is simply made again.
    const auto ready = [&] {
        if (!server_ || !server_->running()) {
            if (server_) {
                earlier_log_ += server_->errors();
            }
            server_ = std::make_unique<process>(postgres);
        }
        return PQping(dsn().c_str()) == PQPING_OK;
    };
    if (!wait_until(ready, std::chrono::seconds{60})) {
        throw std::runtime_error{"PostgreSQL did not start:\n" + log()};
    }
}

void pg_cluster::stop() {
    if (!server_) {
        return;
    }
    server_->signal(SIGCONT);
    server_->signal(SIGINT);
    if (!server_->wait(std::chrono::seconds{30})) {
        server_->kill();
    }
    earlier_log_ += server_->errors();
    server_.reset();
}

void pg_cluster::kill() {
    if (server_) {
        server_->kill();
        earlier_log_ += server_->errors();
        server_.reset();
    }
}

void pg_cluster::freeze() {
    server_->signal(SIGSTOP);
}

void pg_cluster::thaw() {
    server_->signal(SIGCONT);
}

pid_t pg_cluster::postmaster_pid() const {
    return server_ ? server_->pid() : -1;
}

std::string pg_cluster::log() const {
    return server_ ? earlier_log_ + server_->errors() : earlier_log_;
}

pg_cluster& pg_cluster::shared() {
    static const std::unique_ptr<pg_cluster> cluster = [] {
        const char* given = std::getenv("LIBQUEUE_TEST_PG_SOCKET_DIR");
        if (given != nullptr && *given != '\0') {
            return std::unique_ptr<pg_cluster>{new pg_cluster{external{}, given}};
        }
        return std::make_unique<pg_cluster>();
    }();
    return *cluster;
}

}  // namespace test
