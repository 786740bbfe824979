#include "config/load.hpp"

#include "config/checks.hpp"
#include "config/collect.hpp"
#include "config/dsn.hpp"
#include "config/secrets.hpp"
#include "config/yaml_tree.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

extern char** environ;  // NOLINT: POSIX declares it nowhere.

namespace workerd {

namespace {

std::string variable(const config_sources& sources, std::string_view name) {
    for (const auto& [key, value] : sources.environment)
        if (key == name)
            return value;
    return {};
}

std::optional<std::string> read_file(const std::filesystem::path& path,
                                     std::vector<config_fault>& faults) {
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(path, error);
    std::ifstream input{path, std::ios::binary};
    if (!is_file || !input) {
        const auto why = error     ? error.message()
                         : is_file ? std::string{std::strerror(errno)}
                                   : std::string{"not a regular file"};
        faults.push_back({severity::fault,
                          {path.string(), 0, 0},
                          "",
                          "a readable file",
                          error == std::errc::no_such_file_or_directory ? "no such file" : why,
                          "check the path given with --config"});
        return std::nullopt;
    }
    std::string text(yaml_bytes_max + 1, '\0');
    input.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(input.gcount()));
    return text;
}

void collect_file(const config_sources& sources, collected_settings& collected) {
    if (!sources.file && !sources.text)
        return;
    const auto file = sources.file ? sources.file->string() : std::string{"workerd.yaml"};
    const auto text = sources.text ? sources.text : read_file(*sources.file, collected.faults);
    if (text)
        collect_document(parse_yaml(*text, file, collected.faults), collected);
}

// A connection string from a stronger source replaces the file's, whichever way that was given.
void collect_database(const config_sources& sources, collected_settings& collected) {
    const auto url = variable(sources, "DATABASE_URL");
    if (!url.empty()) {
        collected.settings.erase("database.dsn_file");
        collect_text("database.dsn", url, "environment DATABASE_URL", collected);
    }
}

bool has_libpq_environment(const config_sources& sources) {
    return !variable(sources, "PGHOST").empty() || !variable(sources, "PGDATABASE").empty() ||
           !variable(sources, "PGSERVICE").empty() || !variable(sources, "PGHOSTADDR").empty();
}

void bind(const collected_settings& collected, config& target) {
    for (const auto& [section, where] : collected.sections) {
        // A queue or kind that is only named still exists.
        const auto dot = section.find('.');
        if (section.starts_with("queues."))
            target.queues.try_emplace(section.substr(dot + 1));
        else if (section.starts_with("limits."))
            target.limits.try_emplace(section.substr(dot + 1));
        else if (section.starts_with("kinds."))
            target.kinds.try_emplace(section.substr(dot + 1));
    }
    for (const auto& [path, entry] : collected.settings)
        entry.row->bind(target, entry.name, entry.value);
}

// Makes the paths of the file's folder absolute and reads the secrets they lead to.
class file_reader {
   public:
    file_reader(const config_sources& sources, config_result& result)
        : credentials_{variable(sources, "CREDENTIALS_DIRECTORY")}, result_{result} {
        if (sources.file)
            base_ = std::filesystem::absolute(*sources.file).parent_path();
    }

    void secret(const char* option_path, std::filesystem::path& path, std::string& into) {
        if (path.empty())
            return;
        path = locate_secret(path, base_of(option_path), credentials_);
        auto read = read_secret(path, credentials_);
        if (auto* complaint = std::get_if<secret_complaint>(&read))
            fault(option_path, std::move(complaint->got), std::move(complaint->hint));
        else
            into = std::get<std::string>(std::move(read));
    }

    /// A secret that whoever uses it reads himself, into memory of its own.
    void located(const char* option_path, std::filesystem::path& path) {
        if (!path.empty())
            path = locate_secret(path, base_of(option_path), credentials_);
    }

    void plain(const char* option_path, std::filesystem::path& path) {
        if (path.empty())
            return;
        path = path.is_absolute() ? path : base_of(option_path) / path;
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(path, ignored) || ::access(path.c_str(), R_OK) != 0)
            fault(option_path, "no such file: " + path.string(), "check the path");
    }

    void keys(encryption_config& into) {
        if (into.keys.empty())
            return;
        if (!into.keys.is_absolute())
            into.keys = base_of("encryption.keys") / into.keys;
        libqueue::keyring_options wanted{into.keys};
        wanted.per_tenant = into.per_tenant;
        auto loaded = libqueue::keyring::load(std::move(wanted));
        if (loaded.has_error())
            fault("encryption.keys", loaded.error().message, loaded.error().hint);
        else
            into.ring = std::move(*loaded);
    }

   private:
    // A path in a flag or variable counts from where the user stands.
    [[nodiscard]] std::filesystem::path base_of(const char* option_path) const {
        const auto& where = result_.value.settings.at(option_path).where;
        return where.line == 0 || base_.empty() ? std::filesystem::current_path() : base_;
    }

    void fault(const char* option_path, std::string got, std::string hint) {
        const auto& entry = result_.value.settings.at(option_path);
        result_.faults.push_back({severity::fault, entry.where, option_path,
                                  expectation(*entry.row), std::move(got), std::move(hint)});
    }

    std::filesystem::path base_;
    std::filesystem::path credentials_;
    config_result& result_;
};

void read_files(const config_sources& sources, config_result& result) {
    file_reader files{sources, result};
    auto& value = result.value;
    files.secret("database.dsn_file", value.database.dsn_file, value.database.dsn);
    files.secret("database.listen_dsn_file", value.database.listen_dsn_file,
                 value.database.listen_dsn);
    files.keys(value.encryption);
    files.plain("http.tls.certificate_file", value.http.tls.certificate_file);
    files.plain("http.tls.key_file", value.http.tls.key_file);
    for (auto& [name, key] : value.http.auth.jwt.keys) {
        const auto path = "http.auth.jwt.keys." + name;
        files.secret((path + ".secret_file").c_str(), key.secret_file, key.secret);
        files.plain((path + ".public_key_file").c_str(), key.public_key_file);
    }
    for (auto& [name, service] : value.http.auth.services) {
        const auto path = "http.auth.services." + name;
        files.secret((path + ".key_file").c_str(), service.key_file, service.key);
        files.secret((path + ".previous_key_file").c_str(), service.previous_key_file,
                     service.previous_key);
    }
    if (value.processors.email) {
        auto& email = *value.processors.email;
        files.secret("processors.email.password_file", email.password_file, email.password);
        files.plain("processors.email.ca_file", email.ca_file);
        files.plain("processors.email.bearer_file", email.bearer_file);
    }
    if (value.processors.sms) {
        auto& sms = *value.processors.sms;
        files.secret("processors.sms.token_file", sms.token_file, sms.token);
        files.plain("processors.sms.ca_file", sms.ca_file);
    }
    if (value.processors.payment) {
        auto& payment = *value.processors.payment;
        files.secret("processors.payment.key_file", payment.key_file, payment.key);
        files.plain("processors.payment.ca_file", payment.ca_file);
    }
    if (value.processors.mint) {
        auto& mint = *value.processors.mint;
        files.located("processors.mint.key_file", mint.key_file);
        files.secret("processors.mint.service_key_file", mint.service_key_file, mint.service_key);
        files.plain("processors.mint.ca_file", mint.ca_file);
    }
    if (value.processors.webhook) {
        auto& webhook = *value.processors.webhook;
        files.secret("processors.webhook.secret_file", webhook.secret_file, webhook.secret);
        files.secret("processors.webhook.previous_secret_file", webhook.previous_secret_file,
                     webhook.previous_secret);
        files.secret("processors.webhook.endpoint_key_file", webhook.endpoint_key_file,
                     webhook.endpoint_key);
        files.secret("processors.webhook.previous_endpoint_key_file",
                     webhook.previous_endpoint_key_file, webhook.previous_endpoint_key);
        files.plain("processors.webhook.ca_file", webhook.ca_file);
    }
    auto& alerts = value.alerts;
    files.secret("alerts.webhook.secret_file", alerts.webhook_secret_file, alerts.webhook_secret);
    files.secret("alerts.slack.url_file", alerts.slack_url_file, alerts.slack_url);
    files.secret("alerts.pagerduty.key_file", alerts.pagerduty_key_file, alerts.pagerduty_key);
    files.plain("tracing.ca_file", value.tracing.ca_file);
    if (value.processors.analytics) {
        auto& analytics = *value.processors.analytics;
        files.secret("processors.analytics.customer_key_file", analytics.customer_key_file,
                     analytics.customer_key);
        files.secret("processors.analytics.slack_url_file", analytics.slack_url_file,
                     analytics.slack_url);
    }
}

}  // namespace

bool config_result::is_usable() const {
    return std::none_of(faults.begin(), faults.end(),
                        [](const auto& fault) { return fault.level == severity::fault; });
}

config_result load_config(const config_sources& sources) {
    collected_settings collected;
    collect_file(sources, collected);
    collect_database(sources, collected);
    collect_environment(sources.environment, collected);
    for (const auto& flag : sources.flags) {
        if (flag.path == "database.dsn")
            collected.settings.erase("database.dsn_file");
        collect_text(flag.path, flag.value, flag.typed, collected);
    }
    collect_defaults(collected);

    config_result result;
    result.value.settings = collected.settings;
    result.faults = std::move(collected.faults);
    bind(collected, result.value);
    check_config(result.value,
                 {.has_libpq_environment = has_libpq_environment(sources),
                  .dev = sources.dev,
                  .file = sources.file ? sources.file->string() : std::string{"workerd.yaml"},
                  .sections = collected.sections},
                 result.faults);
    read_files(sources, result);
    return result;
}

std::vector<std::pair<std::string, std::string>> process_environment() {
    std::vector<std::pair<std::string, std::string>> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const auto equals = text.find('=');
        if (equals != std::string_view::npos)
            variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

}  // namespace workerd
