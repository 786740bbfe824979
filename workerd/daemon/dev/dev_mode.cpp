#include "dev/dev_mode.hpp"

#include "config/collect.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace workerd {

namespace {

std::filesystem::path folder_of(const config& value) {
    return value.dev.directory.empty() ? default_dev_folder() : value.dev.directory;
}

std::string base64(const std::array<unsigned char, 30>& bytes) {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const unsigned group = static_cast<unsigned>(bytes[i]) << 16U |
                               static_cast<unsigned>(bytes[i + 1]) << 8U | bytes[i + 2];
        for (const unsigned shift : {18U, 12U, 6U, 0U})
            text += letters[(group >> shift) & 63U];
    }
    return text;
}

// The sinks' ports of the last run are taken again: jobs still in the database name them.
struct ports {
    unsigned short mail = 0;
    unsigned short webhook = 0;
};

ports last_ports(const dev_folder& folder) {
    ports found;
    std::ifstream{folder.root() / "ports"} >> found.mail >> found.webhook;
    return found;
}

}  // namespace

dev_mode::dev_mode(tasks& tasks, logger& log, config& value, bool fresh)
    : log_{log},
      user_{unprivileged_user()},
      folder_{folder_of(value), user_, fresh},
      database_{folder_, user_},
      watch_{tasks.loop(), ::dup(database_.pid_descriptor())},
      mails_{tasks, log, folder_.mails(), last_ports(folder_).mail},
      webhooks_{tasks, log, folder_.webhooks(), last_ports(folder_).webhook} {
    complete(value);
    std::ofstream{folder_.root() / "ports"} << mails_.port() << ' ' << webhooks_.port() << '\n';
    mails_.start();
    webhooks_.start();
    log_.info("dev_ready", "private PostgreSQL and sinks are running",
              {{"folder", folder_.root().string()}, {"postgres_pid", database_.pid()}});
}

dev_mode::~dev_mode() {
    boost::system::error_code ignored;
    watch_.close(ignored);
    mails_.stop();
    webhooks_.stop();
}

void dev_mode::on_database_end(std::function<void()> handler) {
    watch_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [handler = std::move(handler)](const boost::system::error_code& error) {
                          if (!error)
                              handler();
                      });
}

// Mail and webhooks go to the sinks whatever the file says: a development server must not write to
// real people.
void dev_mode::complete(config& value) {
    value.database.dsn = database_.dsn();
    value.database.listen_dsn.clear();
    const std::array<std::pair<const char*, int>, 4> queues{
        {{"default", 50}, {"money", 5}, {"communication", 20}, {"background", 10}}};
    for (const auto& [name, concurrency] : queues) {
        if (!value.queues.contains(name))
            value.queues[name].concurrency = concurrency;
    }
    value.processors.debug = true;
    email_config email;
    email.host = "127.0.0.1";
    email.port = mails_.port();
    email.tls = "none";
    email.from = value.processors.email ? value.processors.email->from : "workerd@dev.example";
    email.timeout = std::chrono::seconds{10};
    email.stores = true;
    value.processors.email = std::move(email);
    webhook_config webhook;
    webhook.secret = webhook_secret();
    webhook.timeout = std::chrono::seconds{10};
    webhook.source = "/libqueue";
    webhook.allow_private = true;
    webhook.allow_http = true;
    value.processors.webhook = std::move(webhook);
}

// Kept, so that a receiver under development can go on verifying after a restart.
std::string dev_mode::webhook_secret() const {
    const auto path = folder_.root() / "webhook-secret";
    std::string secret;
    if (std::ifstream{path} >> secret)
        return secret;
    std::array<unsigned char, 30> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error{"cannot read random bytes"};
    secret = "whsec_" + base64(bytes);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const auto written = file < 0 ? -1 : ::write(file, secret.data(), secret.size());
    if (file >= 0)
        ::close(file);
    if (written != static_cast<ssize_t>(secret.size()))
        throw std::runtime_error{fmt::format("cannot write {}", path.string())};
    return secret;
}

void dev_mode::write_environment(const std::string& http_address) const {
    std::ofstream{folder_.root() / "dev.env"}
        << "DATABASE_URL='" << database_.url() << "'\n"
        << "WORKERD_DEV_HTTP='http://" << http_address << "'\n"
        << "WORKERD_DEV_MAILS='" << folder_.mails().string() << "'\n"
        << "WORKERD_DEV_WEBHOOKS='" << folder_.webhooks().string() << "'\n"
        << "WORKERD_DEV_WEBHOOK_URL='" << webhooks_.url() << "'\n";
}

void dev_mode::announce(const std::string& http_address, const std::string& dashboard_token) const {
    write_environment(http_address);
    const auto row = [](const char* name, const std::string& text) {
        fmt::print("  {:<12} {}\n", name, text);
    };
    fmt::print("\n  workerd --dev: for development only. Data in {}\n\n", folder_.root().string());
    row("psql", database_.psql_command());
    row("environment", fmt::format("export DATABASE_URL='{}'", database_.url()));
    // Behind the # it reaches no server and no log; the page takes it out of the address.
    if (!dashboard_token.empty())
        row("dashboard", fmt::format("http://{}/#token={}", http_address, dashboard_token));
    row("health", fmt::format("http://{}/health/ready", http_address));
    row("mails", fmt::format("{} (SMTP 127.0.0.1:{})", folder_.mails().string(), mails_.port()));
    row("webhooks", fmt::format("{} ({})", folder_.webhooks().string(), webhooks_.url()));
    row("try", "qctl enqueue debug.echo '{\"hello\":\"world\"}' --wait");
    fmt::print("\n");
    std::fflush(stdout);
}

}  // namespace workerd
