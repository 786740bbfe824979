#include "dev/dev_database.hpp"

#include "dev/postgres_binaries.hpp"

#include <fmt/format.h>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace workerd {

namespace {

using namespace std::chrono_literals;

constexpr auto command_time = 120s;
constexpr auto ready_time = 60s;
constexpr auto look_interval = 20ms;
constexpr std::string_view role = "workerd";
// initdb makes it, so there is no second step that could be missing.
constexpr std::string_view database = "postgres";

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::ifstream input{file};
    for (std::string line; std::getline(input, line);)
        lines.push_back(line);
    return lines;
}

// "pid (comm) state …". A zombie has ended and only waits to be reaped, which in a container
// without an init may be never.
bool is_postgres(int pid) {
    std::string text;
    if (!std::getline(std::ifstream{fmt::format("/proc/{}/stat", pid)}, text))
        return false;
    const auto end = text.rfind(')');
    return text.find("(postgres") != std::string::npos && end != std::string::npos &&
           text.compare(end, 3, ") Z") != 0;
}

std::optional<int> cluster_version(const std::filesystem::path& data) {
    int major = 0;
    if (std::ifstream{data / "PG_VERSION"} >> major)
        return major;
    return std::nullopt;
}

std::filesystem::path binaries_or_throw(const std::filesystem::path& data) {
    const auto major = cluster_version(data);
    if (const auto found = find_postgres_binaries(major))
        return *found;
    if (major)
        throw std::runtime_error{fmt::format(
            "expected PostgreSQL {} for the cluster in {}, got other versions only; hint: "
            "--dev=fresh wipes it and starts anew",
            *major, data.string())};
    throw std::runtime_error{
        "expected PostgreSQL's server programs (initdb, postgres), got none; hint: apt-get install "
        "postgresql, or leave out --dev and give --db"};
}

std::string percent_encoded(std::string_view path) {
    std::string out;
    for (const char letter : path) {
        const bool is_plain =
            (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
            (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == '_';
        if (is_plain)
            out += letter;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
    return out;
}

}  // namespace

dev_database::dev_database(const dev_folder& folder, const std::optional<system_user>& user)
    : folder_{folder}, user_{user} {
    const auto binaries = binaries_or_throw(folder.data());
    if (!cluster_version(folder.data()))
        create_cluster(binaries);
    await_previous_server();

    child_options options;
    options.command = {(binaries / "postgres").string(),
                       "-D",
                       folder.data().string(),
                       "-k",
                       folder.socket().string(),
                       "-c",
                       "listen_addresses=",
                       "-c",
                       "unix_socket_permissions=0700",
                       "-c",
                       "cluster_name=workerd_dev",
                       "-c",
                       "logging_collector=off",
                       "-c",
                       "fsync=on",
                       "-c",
                       "synchronous_commit=on"};
    options.run_as = user;
    options.log_file = folder.postgres_log();
    // SIGINT is PostgreSQL's fast shutdown.
    options.death_signal = SIGINT;
    server_ = std::make_unique<child_process>(options);
    await_ready();
}

dev_database::~dev_database() {
    stop();
}

void dev_database::stop() noexcept {
    if (!server_)
        return;
    try {
        server_->signal(SIGINT);
        if (!server_->wait(10s)) {
            server_->signal(SIGQUIT);
            static_cast<void>(server_->wait(5s));
        }
    } catch (const std::exception&) {
        // Destroying the child below kills it.
    }
    server_.reset();
}

// Made beside its place and renamed when complete: a start that is cut short leaves nothing that
// looks like a cluster.
void dev_database::create_cluster(const std::filesystem::path& binaries) {
    const auto made = folder_.root() / "data.new";
    std::filesystem::remove_all(made);
    std::filesystem::remove_all(folder_.data());
    child_options initialise;
    initialise.command = {(binaries / "initdb").string(),
                          "-D",
                          made.string(),
                          "--username=" + std::string{role},
                          "--auth-local=trust",
                          "--auth-host=reject",
                          "--encoding=UTF8",
                          "--locale=C.UTF-8",
                          "--no-instructions"};
    run_to_end(initialise, "initdb");
    std::filesystem::rename(made, folder_.data());
}

void dev_database::run_to_end(child_options options, const char* what) const {
    options.run_as = user_;
    options.log_file = folder_.postgres_log();
    options.death_signal = SIGTERM;
    child_process child{options};
    const auto status = child.wait(command_time);
    if (!status || *status != 0)
        throw std::runtime_error{fmt::format("{} failed ({}); {}", what,
                                             status ? exit_text(*status) : "it did not end",
                                             log_tail())};
}

// The server of a workerd that was killed gets its death signal and shuts down by itself.
void dev_database::await_previous_server() const {
    const auto file = folder_.data() / "postmaster.pid";
    const auto end = std::chrono::steady_clock::now() + 15s;
    while (true) {
        const auto lines = lines_of(file);
        const auto pid = lines.empty() ? 0 : std::atoi(lines.front().c_str());
        // An old file whose process is gone, or is another program by now, is PostgreSQL's
        // business.
        if (pid <= 0 || !is_postgres(pid))
            return;
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error{
                fmt::format("expected no PostgreSQL in {}, got process {}, left by an earlier run; "
                            "hint: kill -INT "
                            "{}",
                            folder_.data().string(), pid, pid)};
        std::this_thread::sleep_for(look_interval);
    }
}

void dev_database::await_ready() {
    const auto file = folder_.data() / "postmaster.pid";
    const auto end = std::chrono::steady_clock::now() + ready_time;
    while (true) {
        // The eighth line says "ready" once connections are accepted.
        const auto lines = lines_of(file);
        const bool is_ours =
            !lines.empty() && std::atoi(lines.front().c_str()) == static_cast<int>(server_->pid());
        if (is_ours && lines.size() >= 8 && lines[7].starts_with("ready"))
            return;
        if (const auto status = server_->wait(look_interval))
            throw std::runtime_error{
                fmt::format("PostgreSQL ended ({}); {}", exit_text(*status), log_tail())};
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error{fmt::format("PostgreSQL is not ready after {} s; {}",
                                                 ready_time.count(), log_tail())};
    }
}

std::string dev_database::log_tail() const {
    const auto lines = lines_of(folder_.postgres_log());
    const auto shown = std::min<std::size_t>(lines.size(), 3);
    std::string text = "see " + folder_.postgres_log().string();
    for (std::size_t i = lines.size() - shown; i < lines.size(); ++i)
        text += "\n  " + lines[i];
    return text;
}

std::string dev_database::dsn() const {
    return fmt::format("host={} port=5432 user={} dbname={}", folder_.socket().string(), role,
                       database);
}

std::string dev_database::url() const {
    return fmt::format("postgresql://{}@/{}?host={}", role, database,
                       percent_encoded(folder_.socket().string()));
}

std::string dev_database::psql_command() const {
    return fmt::format("psql -h {} -U {} {}", folder_.socket().string(), role, database);
}

}  // namespace workerd
