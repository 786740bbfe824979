#include "config/checks.hpp"

#include "config/kind_defaults.hpp"
#include "config/suggest.hpp"

#include <libqueue/duration.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <utility>

namespace workerd {

namespace {

class checker {
   public:
    checker(const config& value, const check_surroundings& around,
            std::vector<config_fault>& faults)
        : value_{value}, around_{around}, faults_{faults} {}

    void database() {
        const auto& database = value_.database;
        const bool has_dsn = has("database.dsn");
        const bool failed = reported("database.dsn") || reported("database.dsn_file");
        if (around_.dev) {
            if (has_dsn || has("database.dsn_file"))
                fault(has_dsn ? "database.dsn" : "database.dsn_file",
                      "no database with --dev, which brings its own", "one",
                      "leave out --dev, or unset DATABASE_URL and database.dsn");
            return;
        }
        if (has_dsn && has("database.dsn_file"))
            fault("database.dsn_file", "either dsn or dsn_file", "both", "remove one of the two");
        if (has("database.listen_dsn") && has("database.listen_dsn_file"))
            fault("database.listen_dsn_file", "either listen_dsn or listen_dsn_file", "both",
                  "remove one of the two");
        if (!has_dsn && !has("database.dsn_file") && !around_.has_libpq_environment && !failed)
            fault("database.dsn", "a PostgreSQL connection string", "nothing",
                  "set database.dsn, DATABASE_URL, --db or PGHOST and PGDATABASE");
        const bool listens_apart = !database.listen_dsn.empty() || has("database.listen_dsn_file");
        const bool pooled = database.pooler == libqueue::pooling::transaction;
        if (pooled && database.listen && !listens_apart)
            fault("database.pooler", "listen_dsn, or listen: false, with a pooler in this mode",
                  "neither", "set database.listen_dsn to a direct connection");
        if (pooled && database.statement_timeout.count() > 0)
            fault("database.statement_timeout", "0 behind a pooler, which would refuse it",
                  libqueue::format_duration(database.statement_timeout),
                  "set it on the role: ALTER ROLE ... SET statement_timeout");
        if (listens_apart && !database.listen)
            warning("database.listen_dsn", "database.listen: true", "false",
                    "the connection is never used");
    }

    void alerts() {
        const auto& alerts = value_.alerts;
        for (const auto& [name, rule] : alerts.rules) {
            char* end = nullptr;
            static_cast<void>(std::strtod(rule.limit.c_str(), &end));
            const auto path = "alerts.rules." + name;
            if (!rule.limit.empty() && *end != '\0')
                fault(path + ".limit", "a number", as_written(rule.limit),
                      "write it as 50 or 0.01");
            for (const auto& channel : rule.channels)
                alert_channel(path + ".channels", channel);
        }
        for (const auto& channel : alerts.critical)
            alert_channel("alerts.channels.critical", channel);
        for (const auto& channel : alerts.warning)
            alert_channel("alerts.channels.warning", channel);
        constexpr std::array names{"log", "mail", "webhook", "slack", "pagerduty", "sms", "call"};
        for (const auto& channel : alerts.resolved_channels)
            if (std::ranges::find(names, channel) == names.end())
                fault("alerts.resolved.channels", channel_names, as_written(channel),
                      "check the spelling");
    }

    static constexpr const char* channel_names =
        "log, mail, webhook, slack, pagerduty, sms or call";

    void alert_channel(const std::string& path, const std::string& channel) {
        const auto& alerts = value_.alerts;
        const std::map<std::string, std::pair<bool, std::string>> known{
            {"log", {true, ""}},
            {"mail",
             {!alerts.mail_to.empty() && value_.processors.email,
              "alerts.mail.to and processors.email"}},
            {"sms",
             {!alerts.sms_to.empty() && value_.processors.sms, "alerts.sms.to and processors.sms"}},
            {"call",
             {!alerts.call_to.empty() && value_.processors.sms,
              "alerts.call.to and processors.sms"}},
            {"webhook",
             {!alerts.webhook_url.empty() && !alerts.webhook_secret_file.empty(),
              "alerts.webhook.url and alerts.webhook.secret_file"}},
            {"slack", {!alerts.slack_url_file.empty(), "alerts.slack.url_file"}},
            {"pagerduty", {!alerts.pagerduty_key_file.empty(), "alerts.pagerduty.key_file"}},
        };
        const auto found = known.find(channel);
        if (found == known.end())
            fault(path, channel_names, as_written(channel), "check the spelling");
        else if (!found->second.first)
            fault(path, "a channel that is set up", channel, "set " + found->second.second);
    }

    void times() {
        const auto& worker = value_.worker;
        if (worker.lease <= 2 * worker.heartbeat)
            fault(stronger("worker.lease", "worker.heartbeat"), "lease > 2 × heartbeat",
                  fmt::format("lease {} and heartbeat {}", libqueue::format_duration(worker.lease),
                              libqueue::format_duration(worker.heartbeat)),
                  fmt::format(
                      "set worker.lease to {} or more, so that one late heartbeat is "
                      "survived",
                      libqueue::format_duration(2 * worker.heartbeat + std::chrono::seconds{1})));
        if (worker.drain_timeout.count() > 0 && worker.drain_timeout < worker.heartbeat)
            fault(stronger("worker.drain_timeout", "worker.heartbeat"),
                  "drain_timeout of 0 or at least one heartbeat",
                  fmt::format("drain_timeout {} and heartbeat {}",
                              libqueue::format_duration(worker.drain_timeout),
                              libqueue::format_duration(worker.heartbeat)),
                  "raise worker.drain_timeout, or set it to 0 to leave at once");
    }

    void queues() {
        if (value_.queues.empty() && !around_.dev && !reported("queues"))
            fault("queues", "at least one queue", "none",
                  "add `queues: {default: {concurrency: 10}}`");
        std::int64_t total = 0;
        for (const auto& [name, queue] : value_.queues)
            total += queue.concurrency;
        for (const auto& [name, queue] : value_.queues)
            known_limit("queues." + name + ".limit", queue.limit);
        const bool set = value_.settings.contains("worker.threads");
        const std::int64_t threads = set ? value_.worker.threads : 0;
        if (threads > total && total > 0)
            warning("worker.threads", fmt::format("at most the queues' concurrency, {}", total),
                    fmt::format("{}", threads), "the rest is never used");
    }

    void limits() {
        for (const auto& [name, figures] : value_.limits) {
            if (figures.burst > 0 && figures.rate == 0)
                fault("limits." + name + ".burst", "a rate beside it", "a burst alone",
                      fmt::format("add limits.{}.rate", name));
            known_limit("limits." + name + ".parent", figures.parent);
            levels(name);
        }
    }

    void levels(const std::string& name) {
        constexpr int most = 4;
        int levels = 1;
        auto above = value_.limits.find(value_.limits.at(name).parent);
        while (above != value_.limits.end() && above->first != name && levels <= most) {
            ++levels;
            above = value_.limits.find(above->second.parent);
        }
        const auto path = "limits." + name + ".parent";
        if (above != value_.limits.end() && above->first == name)
            fault(path, "a limit that is not under " + name, value_.limits.at(name).parent,
                  "no limit can be above itself; remove one of the parents");
        else if (levels > most)
            fault(path, "at most 4 levels", "more", "remove a level");
    }

    void kinds() {
        for (const auto& [name, kind] : value_.kinds) {
            const auto path = "kinds." + name;
            known_limit(path + ".limit", kind.limit.value_or(""));
            if (kind.encrypted.value_or(false) && !has("encryption.keys"))
                fault(path + ".encrypted", "encryption.keys beside it", "no keys",
                      "set encryption.keys to a directory made by: qctl keys create DIR");
            const auto whole = overlay(kind, kind_defaults(name));
            if (whole.retry_base && whole.retry_cap && *whole.retry_cap < *whole.retry_base)
                fault(stronger(path + ".retry.cap", path + ".retry.base"), "cap >= base",
                      fmt::format("cap {} and base {}", libqueue::format_duration(*whole.retry_cap),
                                  libqueue::format_duration(*whole.retry_base)),
                      fmt::format("set {}.retry.cap to {} or more", path,
                                  libqueue::format_duration(*whole.retry_base)));
            if (kind.queue && !value_.queues.contains(*kind.queue) && !around_.dev)
                unknown_queue(path + ".queue", *kind.queue);
            const auto queue = value_.queues.find(kind.queue.value_or(""));
            if (kind.concurrency && queue != value_.queues.end() &&
                *kind.concurrency > queue->second.concurrency)
                warning(
                    path + ".concurrency",
                    fmt::format("at most the queue's concurrency, {}", queue->second.concurrency),
                    fmt::format("{}", *kind.concurrency), "the queue's limit is reached first");
        }
    }

    void processors() {
        const auto& processors = value_.processors;
        const bool any = processors.debug || processors.analytics || processors.email ||
                         processors.mint || processors.payment || processors.sms ||
                         processors.webhook;
        if (!any && !around_.dev && !reported("processors"))
            fault(
                "processors", "at least one processor", "none",
                "add `processors: {debug: true}`, or a section such as email, payment or webhook");
        if (processors.email)
            email(*processors.email);
        if (processors.webhook && (processors.webhook->allow_private && !around_.dev))
            warning("processors.webhook.allow_private", "false outside tests", "true",
                    "producers can reach addresses of the internal network");
    }

    // It becomes part of a page: no character that means something there.
    void dashboard() {
        const auto& base = value_.dashboard.base_path;
        constexpr std::string_view allowed{
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
            "0123456789-._~/"};
        const bool is_path = base.starts_with('/') && base.ends_with('/') &&
                             !base.starts_with("//") &&
                             base.find_first_not_of(allowed) == std::string::npos;
        if (!is_path && !reported("dashboard.base_path"))
            fault("dashboard.base_path", "a path that begins and ends with /, such as /queue/",
                  as_written(base), "letters, digits and -._~ between the slashes");
    }

    void http() {
        const auto& listen = value_.http.listen;
        const bool loopback = listen.starts_with("127.") || listen.starts_with("[::1]:") ||
                              listen.starts_with("localhost:");
        const bool has_tls = has("http.tls.certificate_file");
        if (around_.dev && has("http.listen") && !loopback)
            fault("http.listen", "a loopback address with --dev", as_written(listen),
                  "use 127.0.0.1: a development server has no protection");
        else if (value_.http.enabled && !loopback && !has_tls && !value_.http.insecure)
            fault("http.listen", "a loopback address, or http.tls", as_written(listen),
                  "tokens must not cross the network in clear: set http.tls, or http.insecure: "
                  "true when something in front of it speaks TLS");
        if (has_tls != has("http.tls.key_file"))
            fault(has_tls ? "http.tls.certificate_file" : "http.tls.key_file",
                  "both certificate_file and key_file", "one of them", "set the other, too");
        for (const auto& origin : value_.http.cors_origins)
            if (!is_origin(origin))
                fault("http.cors_origins", "origins such as https://ops.example.com",
                      as_written(origin), "write scheme and host, without a path or a star");
        jwt();
    }

   private:
    static bool is_origin(const std::string& text) {
        const bool secure = text.starts_with("https://");
        if (!secure && !text.starts_with("http://"))
            return false;
        const auto host = std::string_view{text}.substr(secure ? 8 : 7);
        return !host.empty() && host.find_first_of("/*?#@ ") == std::string_view::npos;
    }

    void jwt() {
        const auto& jwt = value_.http.auth.jwt;
        const std::string path = "http.auth.jwt.";
        if (jwt.keys.empty())
            return;
        if (jwt.issuer.empty())
            fault(path + "issuer", "an issuer beside keys", "none", "set http.auth.jwt.issuer");
        if (jwt.audience.empty())
            fault(path + "audience", "an audience beside keys", "none",
                  "set http.auth.jwt.audience");
        for (const auto& [name, key] : jwt.keys) {
            const auto place = path + "keys." + name;
            const bool shared = key.algorithm.starts_with("HS");
            const auto wanted = shared ? "secret_file" : "public_key_file";
            const bool has_secret = has(place + ".secret_file");
            const bool has_public = has(place + ".public_key_file");
            if (has_secret != shared || has_public == shared)
                fault(place + ".algorithm",
                      fmt::format("{} alone beside {}", wanted, key.algorithm),
                      has_secret && has_public ? "both files"
                      : has_secret             ? "secret_file"
                      : has_public             ? "public_key_file"
                                               : "none",
                      fmt::format("set {}.{}", place, wanted));
        }
    }

    void email(const email_config& email) {
        const std::string path = "processors.email.";
        const bool has_password = has(path + "password_file") || has(path + "bearer_file");
        if (!email.username.empty() && !has_password && !reported(path + "password_file"))
            fault(path + "username", "a password_file beside a username", "none",
                  "add processors.email.password_file");
        if (email.username.empty() && has_password && !reported(path + "username"))
            fault(path + "password_file", "a username beside a password_file", "none",
                  "add processors.email.username");
        const bool loopback =
            email.host == "localhost" || email.host.starts_with("127.") || email.host == "::1";
        if (email.tls == "none" && !email.username.empty() && !loopback)
            fault(stronger(path + "tls", path + "username"), "tls: starttls or tls with a password",
                  "none", "a password must not cross the network in clear");
        if (has(path + "from") && email.from.find('@') == std::string::npos)
            fault(path + "from", "an address with @", as_written(email.from),
                  "write it as noreply@example.com");
    }

    // May be defined in the database by a person: then the worker finds it there.
    void known_limit(const std::string& path, const std::string& limit) {
        if (limit.empty() || value_.limits.contains(limit))
            return;
        std::vector<std::string> names;
        for (const auto& [name, ignored] : value_.limits)
            names.push_back(name);
        const auto close = suggest(limit, names);
        warning(
            path, "one of the limits of this file", as_written(limit),
            close ? fmt::format("did you mean {}?", *close)
                  : fmt::format("add it to limits, or define it with: qctl limits set {}", limit));
    }

    void unknown_queue(const std::string& path, const std::string& queue) {
        std::vector<std::string> names;
        for (const auto& [name, ignored] : value_.queues)
            names.push_back(name);
        const auto close = suggest(queue, names);
        fault(path, "one of the queues of this file", as_written(queue),
              close ? fmt::format("did you mean {}?", *close)
                    : fmt::format("add `{}: {{}}` to queues", queue));
    }

    [[nodiscard]] bool has(const std::string& path) const {
        const auto found = value_.settings.find(path);
        return found != value_.settings.end() && found->second.where.source != "default";
    }

    // An option, or the section above it, that has its own fault already: a second message about
    // its absence would mislead.
    [[nodiscard]] bool reported(std::string_view path) const {
        return std::any_of(faults_.begin(), faults_.end(), [&](const config_fault& fault) {
            const auto& other = fault.path;
            const bool above = path.starts_with(other) &&
                               (path.size() == other.size() || path[other.size()] == '.');
            const bool below =
                other.starts_with(path) && other.size() > path.size() && other[path.size()] == '.';
            return fault.level == severity::fault && (other.empty() || above || below);
        });
    }

    // The one of two options somebody wrote: that is where the reader must look.
    [[nodiscard]] std::string stronger(const std::string& first, const std::string& second) const {
        return !has(first) && has(second) ? second : first;
    }

    [[nodiscard]] origin place(const std::string& path) const {
        const auto found = value_.settings.find(path);
        if (found != value_.settings.end() && found->second.where.source != "default")
            return found->second.where;
        const auto section = around_.sections.find(path.substr(0, path.rfind('.')));
        if (section != around_.sections.end())
            return section->second;
        return {around_.file, 1, 1};
    }

    void fault(const std::string& path, std::string expected, std::string got, std::string hint) {
        faults_.push_back({severity::fault, place(path), path, std::move(expected), std::move(got),
                           std::move(hint)});
    }

    void warning(const std::string& path, std::string expected, std::string got, std::string hint) {
        faults_.push_back({severity::warning, place(path), path, std::move(expected),
                           std::move(got), std::move(hint)});
    }

    const config& value_;
    const check_surroundings& around_;
    std::vector<config_fault>& faults_;
};

}  // namespace

void check_config(const config& value, const check_surroundings& around,
                  std::vector<config_fault>& faults) {
    checker checks{value, around, faults};
    checks.database();
    checks.times();
    checks.alerts();
    checks.queues();
    checks.limits();
    checks.kinds();
    checks.processors();
    checks.http();
    checks.dashboard();
}

}  // namespace workerd
