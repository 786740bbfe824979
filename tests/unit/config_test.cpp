#include "config/diff.hpp"
#include "config/dsn.hpp"
#include "config/load.hpp"
#include "config/reference.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using workerd::config_fault;
using workerd::config_result;
using workerd::config_sources;
using workerd::load_config;
using workerd::severity;

namespace {

constexpr const char* minimal =
    "database: {dsn: postgresql://localhost/app}\n"
    "queues: {default: {concurrency: 100}}\n"
    "processors: {debug: true}\n";

config_result load_text(std::string text) {
    config_sources sources;
    sources.text = std::move(text);
    return load_config(sources);
}

// A folder of its own, removed at the end.
class scratch_folder {
   public:
    scratch_folder() {
        auto pattern = (std::filesystem::temp_directory_path() / "config-test-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& text,
                                              mode_t mode) const {
        const auto file = path_ / name;
        std::ofstream{file} << text;
        REQUIRE(::chmod(file.c_str(), mode) == 0);
        return file;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

   private:
    std::filesystem::path path_;
};

config_result load_file(const scratch_folder& folder, const std::string& text) {
    config_sources sources;
    sources.file = folder.write("workerd.yaml", text, 0644);
    return load_config(sources);
}

const config_fault* find_fault(const config_result& result, std::string_view path) {
    for (const auto& fault : result.faults) {
        if (fault.path == path)
            return &fault;
    }
    return nullptr;
}

std::string all_text(const config_result& result) {
    return workerd::to_text(result.faults);
}

// One broken file: what is appended to (or replaces) the minimal one, and the message it must
// give.
struct broken {
    const char* text;
    std::size_t line;
    const char* path;
    const char* expected;
    const char* got;
    const char* hint;
};

// Each stands on line 4 and below, after the minimal file.
const std::vector<broken> broken_additions{
    // Unknown keys.
    {"worker: {heartbaet: 2s}", 4, "worker.heartbaet", "an option of worker", "heartbaet",
     "did you mean heartbeat?"},
    {"workers: {lease: 10s}", 4, "workers", "a section", "workers", "did you mean worker?"},
    {"lgo: {level: info}", 4, "lgo", "a section", "lgo", "did you mean log?"},
    {"log:\n  levle: info", 5, "log.levle", "an option of log", "levle", "did you mean level?"},
    {"log: {colour: red}", 4, "log.colour", "an option of log", "colour", "known here: level"},
    {"kinds: {email.send: {timout: 3s}}", 4, "kinds.email.send.timout", "an option", "timout",
     "did you mean timeout?"},
    {"kinds: {email.send: {retry: {stratgy: fixed}}}", 4, "kinds.email.send.retry.stratgy",
     "an option", "stratgy", "did you mean strategy?"},
    {"gauges: {port: 9}", 4, "gauges", "a section", "gauges", "known here: database, queues"},
    // Secrets written inline.
    {"kinds: {}\nhttp: {secret: x}", 5, "http.secret", "an option of http", "secret",
     "known here: enabled, listen"},
    // Wrong shapes.
    {"worker: 3", 4, "worker", "a mapping", "\"3\"", "indented below"},
    {"worker: [2s]", 4, "worker", "a mapping", "a list", "indented below"},
    {"worker: {heartbeat: {value: 2s}}", 4, "worker.heartbeat", "a duration", "a mapping",
     "write one value"},
    {"worker: {heartbeat: [2s]}", 4, "worker.heartbeat", "a duration", "a list", "one value"},
    {"worker: {heartbeat: }", 4, "worker.heartbeat", "a duration", "nothing", "give it a value"},
    {"worker: {heartbeat: ~}", 4, "worker.heartbeat", "a duration", "nothing", "remove the key"},
    {"kinds: [email.send]", 4, "kinds", "a mapping", "a list", "default: …"},
    {"kinds: {email.send: 3}", 4, "kinds.email.send", "a mapping", "\"3\"", "concurrency: …"},
    {"log: {redact: iban}", 4, "log.redact", "a list", "iban", "write [one, two]"},
    {"log: {redact: [[iban]]}", 4, "log.redact", "a list", "a list in the list", "plain words"},
    {"log: {redact: [\"a,b\"]}", 4, "log.redact", "a list", "a,b", "without commas"},
    // Limits.
    {"limits: {stripe: {rate: 5 per second}}", 4, "limits.stripe.rate", "a rate from",
     "5 per second", "write 5/s, 1000/min, 20/h or 100/d"},
    {"limits: {stripe: {rate: 5/w}}", 4, "limits.stripe.rate", "a rate from", "5/w", "20/h"},
    {"limits: {stripe: {rate: 0}}", 4, "limits.stripe.rate", "a rate from", "0", "20/h"},
    {"limits: {stripe: {rate: -1/s}}", 4, "limits.stripe.rate", "a rate from", "-1/s", "20/h"},
    {"limits: {stripe: {burst: 25}}", 4, "limits.stripe.burst", "a rate beside it", "a burst alone",
     "add limits.stripe.rate"},
    {"limits: {a: {parent: a}}", 4, "limits.a.parent", "not under a", "a", "above itself"},
    {"limits: {a: {parent: b}, b: {parent: c}, c: {parent: d}, d: {parent: e}, e: {}}", 4,
     "limits.a.parent", "at most 4 levels", "more", "remove a level"},
    {"limits: {a: {breaker: {percent: 0}}}", 4, "limits.a.breaker.percent", "1 to 100", "0",
     "raise"},
    {"limits: {a: {breaker: {cooldown: 10ms}}}", 4, "limits.a.breaker.cooldown", "duration", "10ms",
     "raise"},
    {"limits: {stripe: {concurency: 3, rate: 1/s}}", 4, "limits.stripe.concurency", "an option",
     "concurency", "did you mean concurrency?"},
    {"limits: {Stripe: {}}", 4, "limits.Stripe", "a-z 0-9 _ . -", "Stripe", "lower-case"},
    // Wrong types.
    {"worker: {threads: many}", 4, "worker.threads", "a whole number from 0 to 1024", "many",
     "digits only"},
    {"worker: {threads: 4.5}", 4, "worker.threads", "a whole number", "4.5", "digits only"},
    {"worker: {threads: 0x10}", 4, "worker.threads", "a whole number", "0x10", "digits only"},
    {"worker: {threads: \"8\"}", 4, "worker.threads", "a whole number", "the text \"8\"",
     "remove the quotes"},
    {"worker: {threads: 99999999999999999999}", 4, "worker.threads", "a whole number",
     "99999999999999999999", "digits only"},
    {"http: {enabled: yes}", 4, "http.enabled", "true or false", "yes", "write true or false"},
    {"http: {enabled: 1}", 4, "http.enabled", "true or false", "1", "write true or false"},
    {"http: {enabled: \"true\"}", 4, "http.enabled", "true or false", "the text", "the quotes"},
    {"http: {enabled: True}", 4, "http.enabled", "true or false", "True", "true or false"},
    {"worker: {heartbeat: 2}", 4, "worker.heartbeat", "a duration", "2", "2s or 2ms"},
    {"worker: {heartbeat: 2 s}", 4, "worker.heartbeat", "a duration", "2 s", "such as 30s"},
    {"worker: {heartbeat: 1.5s}", 4, "worker.heartbeat", "a duration", "1.5s", "such as 30s"},
    {"worker: {heartbeat: fast}", 4, "worker.heartbeat", "a duration", "fast", "such as 30s"},
    {"worker: {heartbeat: -2s}", 4, "worker.heartbeat", "a duration", "-2s", "such as 30s"},
    {"worker: {heartbeat: 9999999999999999d}", 4, "worker.heartbeat", "a duration", "d", "30s"},
    {"worker: {heartbeat: 2S}", 4, "worker.heartbeat", "a duration", "2S", "ms, s, m, h, d"},
    {"log: {level: verbose}", 4, "log.level", "one of trace, debug, info, warn, error", "verbose",
     "choose one"},
    {"log: {level: degub}", 4, "log.level", "one of trace", "degub", "did you mean debug?"},
    {"log: {format: jsn}", 4, "log.format", "one of auto, json, text", "jsn", "mean json?"},
    {"http: {listen: 8080}", 4, "http.listen", "host:port", "8080", "127.0.0.1:8080"},
    {"http: {listen: \"localhost:99999\"}", 4, "http.listen", "host:port", "99999", "[::1]:8080"},
    {"http: {listen: \"::1:80\"}", 4, "http.listen", "host:port", "::1:80", "into brackets"},
    {"http: {listen: \":8080\"}", 4, "http.listen", "host:port", ":8080", "127.0.0.1:8080"},
    {"worker: {name: \"\"}", 4, "worker.name", "text of 1 to 128 bytes", "an empty text",
     "use its default"},
    {"worker: {name: \"a\\nb\"}", 4, "worker.name", "text", "a\\x0ab", "control characters"},
    {"kinds: {email.send: {on_lost: ignore}}", 4, "kinds.email.send.on_lost",
     "one of retry, dead, hold, reconcile", "ignore", "choose one"},
    {"kinds: {email.send: {retry: {strategy: exponental}}}", 4, "kinds.email.send.retry.strategy",
     "exponential", "exponental", "did you mean exponential?"},
    {"kinds: {email.send: {retry: {jitter: 3}}}", 4, "kinds.email.send.retry.jitter", "true", "3",
     "write true or false"},
    // Out of range.
    {"worker: {heartbeat: 10ms}", 4, "worker.heartbeat", "from 100ms to 5m", "10ms", "raise it"},
    {"worker: {heartbeat: 1h}", 4, "worker.heartbeat", "from 100ms to 5m", "1h", "lower it"},
    {"worker: {threads: -1}", 4, "worker.threads", "from 0 to 1024", "-1", "raise it"},
    {"worker: {threads: 2000}", 4, "worker.threads", "from 0 to 1024", "2000", "lower it"},
    {"kinds: {email.send: {max_attempts: 0}}", 4, "kinds.email.send.max_attempts", "from 1 to", "0",
     "raise it"},
    {"kinds: {email.send: {priority: 40000}}", 4, "kinds.email.send.priority", "to 32767", "40000",
     "lower it"},
    {"kinds: {email.send: {timeout: 0}}", 4, "kinds.email.send.timeout", "from 1ms", "0",
     "raise it"},
    // Names.
    {"kinds: {Email.Send: {}}", 4, "kinds.Email.Send", "a-z 0-9 _ . -", "Email.Send", "lower-case"},
    {"kinds: {\"a b\": {}}", 4, "kinds.a b", "a-z 0-9 _ . -", "a b", "lower-case"},
    {"kinds: {\"\": {}}", 4, "kinds.", "a-z 0-9 _ . -", "\"\"", "lower-case"},
    {"kinds: {email.send: {queue: Mail}}", 4, "kinds.email.send.queue", "a-z 0-9", "Mail",
     "lower-case"},
    // YAML that is read nowhere here.
    {"worker: &w {lease: 10s}", 4, "worker", "a value", "an anchor", "write the value out"},
    {"worker: {heartbeat: &h 2s}\nkinds: {a: {timeout: *h}}", 5, "kinds.a.timeout", "a value",
     "an alias", "write the value out"},
    {"worker: {<<: {lease: 9s}}", 4, "worker.<<", "an option", "a merge key", "write the values"},
    {"worker: {lease: !!str 10s}", 4, "worker.lease", "a plain value", "the tag", "remove the tag"},
    {"worker: {lease: 10s}\nlog: {level: info}\nworker: {lease: 11s}", 6, "worker", "each key once",
     "first on line 4", "remove one"},
    {"log:\n  level: info\n  level: warn", 6, "log.level", "each key once", "first on line 5",
     "remove one"},
    {"? {a: b}\n: 3", 4, "", "a name as key", "a mapping", "name: value"},
    {"---\nlog: {level: info}", 5, "", "one document", "a second one", "one document"},
    {"log: {level: info", 4, "", "YAML", "", "indentation"},
    {"\tlog: 3", 4, "", "YAML", "", "no tabs"},
    {"log: \"open", 4, "", "YAML", "", "quotes"},
    {"worker: {lease: *nowhere}", 4, "", "YAML", "", "this place"},
    // Faults across options.
    {"worker: {lease: 4s}", 4, "worker.lease", "lease > 2 × heartbeat", "lease 4s and heartbeat 2s",
     "set worker.lease to 5s"},
    {"worker:\n  heartbeat: 5s", 5, "worker.heartbeat", "lease > 2 × heartbeat",
     "lease 10s and heartbeat 5s", "set worker.lease to 11s"},
    {"worker: {drain_timeout: 1s}", 4, "worker.drain_timeout", "at least one heartbeat",
     "drain_timeout 1s", "raise worker.drain_timeout"},
    {"kinds: {a: {retry: {base: 10s, cap: 5s}}}", 4, "kinds.a.retry.cap", "cap >= base",
     "cap 5s and base 10s", "kinds.a.retry.cap to 10s"},
    {"kinds: {a: {retry: {base: 5m}}}", 4, "kinds.a.retry.base", "cap >= base",
     "cap 1m and base 5m", "kinds.a.retry.cap to 5m"},
    {"kinds: {a: {queue: defalt}}", 4, "kinds.a.queue", "one of the queues", "defalt",
     "did you mean default?"},
    {"kinds: {a: {queue: reports}}", 4, "kinds.a.queue", "one of the queues", "reports",
     "add `reports: {}` to queues"},
};

// Whole files.
const std::vector<broken> broken_files{
    {"", 1, "database.dsn", "a PostgreSQL connection string", "nothing", "set database.dsn"},
    {"", 1, "queues", "at least one queue", "none", "default: {concurrency: 10}"},
    {"", 1, "processors", "at least one processor", "none", "processors: {debug: true}"},
    {"# nothing\n", 1, "queues", "at least one queue", "none", "add `queues"},
    {"hello", 1, "", "a mapping", "\"hello\"", "start with `database:`"},
    {"- a\n- b", 1, "", "a mapping", "a list", "start with `database:`"},
    {"processors: {debug: true}\nqueues: {default: {concurrency: 0}}", 2,
     "queues.default.concurrency", "from 1 to 100000", "0", "raise it"},
    {"queues: {Default: {}}", 1, "queues.Default", "a-z 0-9 _ . -", "Default", "lower-case"},
    {"queues: {default: {concurency: 3}}", 1, "queues.default.concurency",
     "an option of queues.default", "concurency", "did you mean concurrency?"},
    {"queues: {default: 5}", 1, "queues.default", "a mapping", "\"5\"", "concurrency: …"},
    {"database: postgresql://localhost/app", 1, "database", "a mapping", "postgresql://", "dsn: …"},
    {"database: {dsn: app}", 1, "database.dsn", "a PostgreSQL connection string", "something else",
     "host=… dbname=…"},
    {"database: {dsn: postgresql://me:hunter2@db/app}", 1, "database.dsn", "without a password",
     "one with a password in it", "dsn_file"},
    {"database: {dsn: \"host=db password=hunter2\"}", 1, "database.dsn", "without a password",
     "one with a password in it", "DATABASE_URL"},
    {"database: {dsn: \"host=db password = hunter2\"}", 1, "database.dsn", "without a password",
     "one with a password", "mode 0600"},
    {"database: {dsn: \"postgresql://db/app?password=hunter2\"}", 1, "database.dsn",
     "without a password", "one with a password in it", "dsn_file"},
    {"database: {listen_dsn: postgresql://me:hunter2@db/app}", 1, "database.listen_dsn",
     "without a password", "one with a password in it", "listen_dsn_file"},
    {"database: {dsn: postgresql://db/app, dsn_file: /etc/dsn}", 1, "database.dsn_file",
     "either dsn or dsn_file", "both", "remove one"},
    {"database: {dsn: postgresql://db/app, schema: My-Schema}", 1, "database.schema", "an SQL name",
     "My-Schema", "lower-case letters"},
    {"database: {dsn: postgresql://db/app, connections: 9}", 1, "database.connections",
     "from 1 to 8", "9", "lower it"},
    {"database: {dsn: postgresql://db/app, pooler: pgbouncer}", 1, "database.pooler",
     "one of auto, session, transaction", "pgbouncer", "choose one"},
    {"database: {dsn: postgresql://db/app, pooler: transaction}", 1, "database.pooler",
     "listen_dsn, or listen: false", "neither", "a direct connection"},
    {"database: {dsn: postgresql://db/app, pooler: transaction, listen: false, "
     "statement_timeout: 5s}",
     1, "database.statement_timeout", "0 behind a pooler", "5s", "ALTER ROLE"},
    {"database: {dsn: postgresql://db/app, password: hunter2}", 1, "database.password",
     "an option of database", "password", "known here: dsn"},
    {"processors: {email: true}", 1, "processors.email", "a mapping", "true", "host: …"},
    {"processors:\n  email:\n    from: a@b.c", 3, "processors.email.host", "text of 1 to 253",
     "nothing", "add `host: smtp.internal`"},
    {"processors:\n  email: {host: h, from: nobody}", 2, "processors.email.from",
     "an address with @", "nobody", "noreply@example.com"},
    {"processors: {email: {host: h, from: a@b.c, password: hunter2}}", 1,
     "processors.email.password", "an option of processors.email", "password", "use password_file"},
    {"processors: {email: {host: h, from: a@b.c, username: u}}", 1, "processors.email.username",
     "a password_file", "none", "add processors.email.password_file"},
    {"processors: {email: {host: h, from: a@b.c, tls: ssl}}", 1, "processors.email.tls",
     "one of none, starttls, tls", "ssl", "choose one"},
    {"processors: {email: {host: h, from: a@b.c, tls: none, username: u}}", 1,
     "processors.email.tls", "starttls or tls", "none", "must not cross the network"},
    {"processors: {email: {host: h, from: a@b.c, port: 0}}", 1, "processors.email.port",
     "from 1 to 65535", "0", "raise it"},
    {"processors: {webhook: {secret: hunter2}}", 1, "processors.webhook.secret", "an option",
     "secret", "use secret_file"},
    {"processors: {webhook: {}}", 1, "processors.webhook.secret_file", "only its owner can read",
     "nothing", "add `secret_file:"},
    {"processors: {webhok: {}}", 1, "processors.webhok", "an option of processors", "webhok",
     "did you mean webhook?"},
};

void check_broken(const broken& each, const std::string& text) {
    CAPTURE(text);
    const auto result = load_text(text);
    CAPTURE(all_text(result));

    CHECK_FALSE(result.is_usable());
    const auto fits = [&](const config_fault& fault) {
        return fault.path == each.path && fault.where.line == each.line &&
               fault.expected.find(each.expected) != std::string::npos &&
               fault.got.find(each.got) != std::string::npos &&
               fault.hint.find(each.hint) != std::string::npos;
    };
    CHECK(std::any_of(result.faults.begin(), result.faults.end(), fits));
    CHECK(all_text(result).find("hunter2") == std::string::npos);
}

}  // namespace

TEST_SUITE("config") {
    TEST_CASE("config: the minimal file is valid and everything else has its default") {
        const auto result = load_text(minimal);

        CAPTURE(all_text(result));
        CHECK(result.is_usable());
        CHECK(result.faults.empty());
        CHECK(result.value.database.dsn == "postgresql://localhost/app");
        CHECK(result.value.database.schema == "queue");
        CHECK(result.value.queues.at("default").concurrency == 100);
        CHECK(result.value.worker.heartbeat == std::chrono::seconds{2});
        CHECK(result.value.worker.lease == std::chrono::seconds{10});
        CHECK(result.value.worker.drain_timeout == std::chrono::seconds{30});
        CHECK(result.value.processors.debug);
        CHECK_FALSE(result.value.processors.email.has_value());
        CHECK(result.value.http.listen == "127.0.0.1:8080");
    }

    TEST_CASE("config: limits, and the kinds and queues that are under them") {
        const auto result = load_text(
            "database: {dsn: postgresql://localhost/app}\n"
            "queues: {default: {concurrency: 100, limit: internal}}\n"
            "processors: {debug: true}\n"
            "limits:\n"
            "  stripe: {burst: 25, rate: 5/s, concurrency: 10}\n"
            "  internal: {rate: 3000/min}\n"
            "  mail: {rate: 20/h, burst: 20, key: meta.user}\n"
            "kinds: {debug.noop: {limit: stripe}}\n");

        CAPTURE(all_text(result));
        REQUIRE(result.faults.empty());
        CHECK(result.value.limits.at("stripe").burst == 25);
        CHECK(result.value.limits.at("stripe").rate == 5);
        CHECK(result.value.limits.at("stripe").concurrency == 10);
        CHECK(result.value.limits.at("internal").rate == 50);
        CHECK(result.value.limits.at("internal").burst == 0);
        CHECK(result.value.limits.at("mail").rate == doctest::Approx(20.0 / 3'600));
        CHECK(result.value.limits.at("mail").key == "meta.user");
        CHECK(result.value.queues.at("default").limit == "internal");
        CHECK(result.value.kinds.at("debug.noop").limit == "stripe");
    }

    TEST_CASE("config: a limit that only the database may know is a warning") {
        const auto result = load_text(minimal + std::string{"limits: {stripe: {rate: 1/s}}\n"
                                                            "kinds: {debug.noop: {limit: strip}}"});

        CHECK(result.is_usable());
        REQUIRE(result.faults.size() == 1);
        CHECK(result.faults.front().path == "kinds.debug.noop.limit");
        CHECK(result.faults.front().hint == "did you mean stripe?");
    }

    TEST_CASE("config: a faulty addition is reported with line, option and hint") {
        for (const auto& each : broken_additions)
            check_broken(each, minimal + std::string{each.text});
    }

    TEST_CASE("config: a faulty file is reported with line, option and hint") {
        for (const auto& each : broken_files)
            check_broken(each, each.text);
        CHECK(broken_additions.size() + broken_files.size() >= 60);
    }

    TEST_CASE("config: an addition with one fault gives exactly one message") {
        for (const auto& each : broken_additions) {
            CAPTURE(each.text);
            const auto result = load_text(minimal + std::string{each.text});
            CAPTURE(all_text(result));
            // A name that cannot be a key and an anchor that is used are two faults each.
            const bool is_double = std::string{each.text}.find("&h") != std::string::npos ||
                                   std::string{each.text}.starts_with("?");
            CHECK(result.faults.size() == (is_double ? 2 : 1));
        }
    }

    TEST_CASE("config: all faults of a file are reported at once, in the order of the file") {
        const auto result = load_text(
            "database: {dsn: postgresql://me:hunter2@db/app}\n"
            "queues: {default: {concurrency: many}}\n"
            "processors: {debug: true}\n"
            "worker: {lease: 4s}\n"
            "log: {level: loud, colour: red}\n");

        const auto text = all_text(result);

        CAPTURE(text);
        CHECK(result.faults.size() == 5);
        CHECK(text.find("workerd.yaml:1:17: database.dsn: expected") == 0);
        CHECK(text.find("workerd.yaml:2:33: queues.default.concurrency") != std::string::npos);
        CHECK(text.find("5 faults\n") != std::string::npos);
        CHECK(text.find("queues.default.concurrency") < text.find("worker.lease"));
        CHECK(text.find("worker.lease") < text.find("log.level"));
    }

    TEST_CASE("config: hostile files are refused without cost") {
        const std::string deep = "a: " + std::string(100'000, '[');
        const std::string wide = "log: {redact: [" + [] {
            std::string items;
            for (int i = 0; i < 30'000; ++i)
                items += "a, ";
            return items;
        }() + "a]}";
        std::string bomb = "a0: &a0 [x, x]\n";
        for (int i = 1; i < 40; ++i) {
            const auto before = "*a" + std::to_string(i - 1);
            bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " +
                    before + "]\n";
        }
        const std::vector<std::string> texts{deep,
                                             wide,
                                             bomb,
                                             std::string(3 << 20, 'a'),
                                             std::string{"a: \0b", 5},
                                             "\xff\xfe\x00\x01",
                                             "a: \xc3\x28",
                                             std::string(5'000, '{'),
                                             std::string(2'000, '-') + " a"};
        for (const auto& text : texts) {
            const auto result = load_text(text);
            CHECK_FALSE(result.is_usable());
            CHECK(all_text(result).size() < 200'000);
        }
    }

    TEST_CASE("config: what a file contains cannot draw on the terminal") {
        const auto result = load_text(std::string{minimal} + "worker: {\"\\e[2Jx\": 1}\n");

        const auto text = all_text(result);
        CHECK(text.find('\x1b') == std::string::npos);
        CHECK(text.find("\\x1b[2Jx") != std::string::npos);
    }

    TEST_CASE("config: flags go before environment, environment before file, file before default") {
        config_sources sources;
        sources.text = std::string{minimal} + "worker: {heartbeat: 3s, lease: 11s, threads: 3}\n";
        sources.environment = {{"WORKERD_WORKER__HEARTBEAT", "4s"},
                               {"WORKERD_WORKER__LEASE", "12s"}};
        sources.flags = {{"worker.heartbeat", "5s", "--set"}};

        const auto result = load_config(sources);

        CAPTURE(all_text(result));
        CHECK(result.is_usable());
        CHECK(result.value.worker.heartbeat == std::chrono::seconds{5});
        CHECK(result.value.worker.lease == std::chrono::seconds{12});
        CHECK(result.value.worker.threads == 3);
        CHECK(result.value.worker.poll_interval == std::chrono::seconds{5});
        CHECK(result.value.settings.at("worker.lease").where.source ==
              "environment WORKERD_WORKER__LEASE");
    }

    TEST_CASE("config: the environment reaches named queues and kinds as the file spells them") {
        config_sources sources;
        sources.text = std::string{minimal} + "kinds: {email.send: {timeout: 5s}}\n";
        sources.environment = {{"WORKERD_KINDS__EMAIL_SEND__TIMEOUT", "6s"},
                               {"WORKERD_KINDS__EMAIL_SEND__RETRY__BASE", "1s"},
                               {"WORKERD_QUEUES__DEFAULT__CONCURRENCY", "7"},
                               {"WORKERD_QUEUES__BULK__CONCURRENCY", "8"},
                               {"WORKERD_LOG__REDACT", "iban,passport"}};

        const auto result = load_config(sources);

        CAPTURE(all_text(result));
        CHECK(result.is_usable());
        CHECK(result.value.kinds.size() == 1);
        CHECK(result.value.kinds.at("email.send").timeout == std::chrono::seconds{6});
        CHECK(result.value.kinds.at("email.send").retry_base == std::chrono::seconds{1});
        CHECK(result.value.queues.at("default").concurrency == 7);
        CHECK(result.value.queues.at("bulk").concurrency == 8);
        CHECK(result.value.log.redact == std::vector<std::string>{"iban", "passport"});
    }

    TEST_CASE("config: faults in environment and flags name the variable or flag") {
        config_sources sources;
        sources.text = minimal;
        sources.environment = {{"WORKERD_WORKER__HEARTBAET", "4s"},
                               {"WORKERD_WORKER__LEASE", "soon"},
                               {"WORKERD_LOG_LEVEL", "debug"},
                               {"WORKERD_PORT_8080_TCP", "tcp://10.0.0.1:8080"},
                               {"WORKERD_SERVICE_HOST", "10.0.0.1"}};
        sources.flags = {{"log.levle", "debug", "--set log.levle"}};

        const auto result = load_config(sources);

        const auto text = all_text(result);
        CAPTURE(text);
        CHECK(result.faults.size() == 4);
        CHECK(text.find("environment WORKERD_WORKER__HEARTBAET: worker.heartbaet: expected a known "
                        "option") != std::string::npos);
        CHECK(text.find("did you mean worker.heartbeat?") != std::string::npos);
        CHECK(text.find("environment WORKERD_WORKER__LEASE: worker.lease: expected a duration") !=
              std::string::npos);
        CHECK(text.find("did you mean WORKERD_LOG__LEVEL?") != std::string::npos);
        CHECK(text.find("--set log.levle: log.levle") != std::string::npos);
    }

    TEST_CASE("config: the connection string comes from --db, DATABASE_URL, the file, then PG*") {
        config_sources sources;
        sources.text = minimal;
        CHECK(load_config(sources).value.database.dsn == "postgresql://localhost/app");

        sources.environment = {{"DATABASE_URL", "postgresql://me:hunter2@url/app"},
                               {"PGHOST", "elsewhere"}};
        CHECK(load_config(sources).value.database.dsn == "postgresql://me:hunter2@url/app");
        CHECK(load_config(sources).is_usable());

        sources.flags = {{"database.dsn", "host=flag password=hunter2", "--db"}};
        CHECK(load_config(sources).value.database.dsn == "host=flag password=hunter2");
        CHECK(load_config(sources).is_usable());

        config_sources bare;
        bare.text = "queues: {default: {}}\nprocessors: {debug: true}\n";
        CHECK_FALSE(load_config(bare).is_usable());
        bare.environment = {{"PGHOST", "/run/postgresql"}};
        CHECK(load_config(bare).is_usable());
        CHECK(load_config(bare).value.database.dsn.empty());
    }

    TEST_CASE("config: --dev refuses a database of its own and an open address") {
        config_sources sources;
        sources.dev = true;
        CHECK(load_config(sources).is_usable());

        sources.environment = {{"DATABASE_URL", "postgresql://db/app"}};
        const auto with_database = load_config(sources);
        REQUIRE(find_fault(with_database, "database.dsn") != nullptr);
        CHECK(find_fault(with_database, "database.dsn")->hint.find("unset DATABASE_URL") !=
              std::string::npos);

        sources.environment = {{"WORKERD_HTTP__LISTEN", "0.0.0.0:8080"}};
        const auto open_address = load_config(sources);
        REQUIRE(find_fault(open_address, "http.listen") != nullptr);
        CHECK(find_fault(open_address, "http.listen")->expected.find("loopback") !=
              std::string::npos);
    }

    TEST_CASE("config: warnings do not make a file unusable") {
        const auto result = load_text(std::string{minimal} +
                                      "kinds: {a: {queue: default, concurrency: 200}}\n"
                                      "worker: {threads: 500}\n");

        CHECK(result.is_usable());
        CHECK(result.faults.size() == 2);
        CHECK(all_text(result).find("warning: kinds.a.concurrency") != std::string::npos);
    }
}

TEST_SUITE("config secrets") {
    TEST_CASE("config secrets: a private file is read without its line end") {
        const scratch_folder folder;
        const auto dsn = folder.write("dsn", "postgresql://me:hunter2@db/app\n", 0600);

        const auto result = load_file(folder,
                                      "database: {dsn_file: dsn}\n"
                                      "queues: {default: {}}\n"
                                      "processors: {debug: true}\n");

        CAPTURE(all_text(result));
        CHECK(result.is_usable());
        CHECK(result.value.database.dsn == "postgresql://me:hunter2@db/app");
        CHECK(result.value.database.dsn_file == dsn);
    }

    TEST_CASE("config secrets: files that others can touch, links and folders are refused") {
        const scratch_folder folder;
        const auto readable = folder.write("readable", "hunter2", 0640);
        const auto world = folder.write("world", "hunter2", 0604);
        const auto good = folder.write("good", "hunter2", 0600);
        const auto empty = folder.write("empty", "\n", 0600);
        const auto lines = folder.write("lines", "hunter2\nhunter3\n", 0600);
        const auto large = folder.write("large", std::string(70'000, 'x'), 0600);
        std::filesystem::create_symlink(good, folder.path() / "link");
        std::filesystem::create_directory(folder.path() / "folder");
        REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
        const std::vector<std::pair<std::string, std::string>> cases{
            {"readable", "chmod 600"},        {"world", "chmod 600"},
            {"link", "name the file itself"}, {"folder", "a regular file"},
            {"pipe", "a regular file"},       {"absent", "mode 0600"},
            {"empty", "write the secret"},    {"lines", "one line"},
            {"large", "at most 65536 bytes"}};

        for (const auto& [name, hint] : cases) {
            CAPTURE(name);
            const auto result = load_file(folder, std::string{minimal} + "  # end\n" +
                                                      "kinds: {}\n"
                                                      "log: {level: info}\n"
                                                      "http:\n  enabled: true\n");
            CHECK(result.is_usable());
            const auto broken = load_file(folder,
                                          "database: {dsn: postgresql://localhost/app}\n"
                                          "queues: {default: {}}\n"
                                          "processors:\n"
                                          "  webhook: {secret_file: " +
                                              name + "}\n");
            const auto* fault = find_fault(broken, "processors.webhook.secret_file");
            REQUIRE(fault != nullptr);
            CHECK(fault->where.line == 4);
            CHECK(fault->hint.find(hint) != std::string::npos);
            CHECK(all_text(broken).find("hunter2") == std::string::npos);
        }
    }

    TEST_CASE("config secrets: a systemd credential is found by name, whatever its mode shows") {
        const scratch_folder folder;
        const scratch_folder credentials;
        static_cast<void>(credentials.write("webhook-secret", "whsec_abc", 0440));
        config_sources sources;
        sources.file = folder.write("workerd.yaml",
                                    "database: {dsn: postgresql://localhost/app}\n"
                                    "queues: {default: {}}\n"
                                    "processors: {webhook: {secret_file: webhook-secret}}\n",
                                    0644);
        CHECK_FALSE(load_config(sources).is_usable());

        sources.environment = {{"CREDENTIALS_DIRECTORY", credentials.path().string()}};
        const auto result = load_config(sources);

        CAPTURE(all_text(result));
        CHECK(result.is_usable());
        CHECK(result.value.processors.webhook->secret == "whsec_abc");
    }

    TEST_CASE("config secrets: a missing configuration file is one clear line") {
        config_sources sources;
        sources.file = "/nonexistent/workerd.yaml";

        const auto text = all_text(load_config(sources));

        CHECK(text.find("/nonexistent/workerd.yaml: expected a readable file, got no such file") ==
              0);
    }
}

TEST_SUITE("config dsn") {
    TEST_CASE("config dsn: passwords are found in both forms") {
        CHECK(workerd::has_inline_password("postgresql://a:b@h/d"));
        CHECK(workerd::has_inline_password("postgres://a:b/c@h/d"));
        CHECK(workerd::has_inline_password("host=h sslpassword=x"));
        CHECK(workerd::has_inline_password("password='a b'"));
        CHECK_FALSE(workerd::has_inline_password("postgresql://a@h:5432/d"));
        CHECK_FALSE(workerd::has_inline_password("postgresql://h:5432,h2:5433/d?sslmode=require"));
        CHECK_FALSE(workerd::has_inline_password("host=h passfile=/etc/pgpass user=password"));
    }

    TEST_CASE("config dsn: a parameter is added once") {
        using workerd::with_parameter;
        CHECK(with_parameter("postgresql://h/d", "connect_timeout", "3") ==
              "postgresql://h/d?connect_timeout=3");
        CHECK(with_parameter("postgresql://h/d?a=b", "options", "-c x=1") ==
              "postgresql://h/d?a=b&options=-c%20x%3D1");
        CHECK(with_parameter("host=h", "connect_timeout", "3") == "host=h connect_timeout='3'");
        CHECK(with_parameter("", "connect_timeout", "3") == "connect_timeout='3'");
        CHECK(with_parameter("host=h connect_timeout=9", "connect_timeout", "3") ==
              "host=h connect_timeout=9");
    }
}

TEST_SUITE("config reload") {
    TEST_CASE("config reload: the difference says what takes effect and what needs a restart") {
        const auto before = load_text(std::string{minimal} + "log: {level: info}\n");
        const auto after = load_text(
            "database: {dsn: postgresql://other/app}\n"
            "queues: {default: {concurrency: 50}, mail: {}}\n"
            "processors: {debug: true}\n"
            "log: {level: debug}\n");

        const auto changes = workerd::diff_settings(before.value.settings, after.value.settings);

        REQUIRE(changes.size() == 4);
        CHECK(changes[0].path == "database.dsn");
        CHECK(changes[0].before == "***");
        CHECK_FALSE(changes[0].reloadable);
        CHECK(changes[1].path == "log.level");
        CHECK(changes[1].after == "debug");
        CHECK(changes[1].reloadable);
        CHECK(changes[2].path == "queues.default.concurrency");
        CHECK(changes[2].before == "100");
        CHECK(changes[2].reloadable);
        CHECK(changes[3].path == "queues.mail.concurrency");
        CHECK_FALSE(changes[3].reloadable);
    }
}

TEST_SUITE("config reference") {
    const auto read = [](const char* path) {
        std::ifstream input{std::string{LIBQUEUE_SOURCE_FOLDER} + path};
        return std::string{std::istreambuf_iterator<char>{input}, {}};
    };

    TEST_CASE("config reference: docs/configuration.md is what the option table says") {
        CHECK(read("/docs/configuration.md") == workerd::configuration_reference());
    }

    TEST_CASE("config reference: the example file is what the option table says, and is valid") {
        const auto example = read("/workerd/daemon/workerd.example.yaml");
        CHECK(example == workerd::configuration_example());

        const auto result = load_text(example);

        CAPTURE(all_text(result));
        CHECK(result.is_usable());
        CHECK(result.faults.empty());
    }

    TEST_CASE("config reference: every option, uncommented, is known and its sample is valid") {
        std::string example = workerd::configuration_example();
        for (auto at = example.find("# "); at != std::string::npos; at = example.find("# ", at)) {
            const auto line_start = example.rfind('\n', at) + 1;
            const auto line = example.substr(at + 2, example.find('\n', at) - at - 2);
            const auto colon = line.find(": ");
            const auto word = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.");
            const bool is_option =
                example.find_first_not_of(' ', line_start) == at &&
                (colon == word || (line.ends_with(':') && word == line.size() - 1));
            if (is_option)
                example.erase(at, 2);
            else
                at += 2;
        }

        const auto result = load_text(example);

        // Only files that are not there, and the pairs that exclude each other, may be left.
        CAPTURE(all_text(result));
        CHECK(result.value.settings.size() >= 40);
        for (const auto& fault : result.faults) {
            CAPTURE(workerd::to_text(fault));
            CHECK((fault.path.ends_with("_file") || fault.path == "encryption.keys" ||
                   fault.path.starts_with("http.auth.jwt.keys.") ||
                   fault.path == "kinds.email.send.queue" || fault.path == "limits.smtp.parent"));
        }
    }
}
