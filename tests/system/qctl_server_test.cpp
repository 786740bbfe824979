#include "server/route_uses.hpp"
#include "support/process.hpp"
#include "support/wait_until.hpp"
#include "system/api_rig.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

// The same verb on the database and over the API of a real workerd: the same words on stdout and
// the same exit code, whoever answers.

namespace {

using words = std::vector<std::string>;

class two_ways {
   public:
    two_ways() {
        put_token("admin", rig.token(libqueue::role::admin));
        put_token("viewer", rig.token(libqueue::role::viewer));
        put_token("stranger", "lq_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    }

    [[nodiscard]] test::command_result direct(words args, const std::string& input = {}) const {
        return run(std::move(args), {{"QCTL_DB", rig.db().dsn()}}, input);
    }

    [[nodiscard]] test::command_result served(words args, const std::string& who = "admin",
                                              const std::string& input = {}) const {
        return run(std::move(args),
                   {{"QCTL_SERVER", "http://" + rig.address()}, {"QCTL_TOKEN_FILE", token(who)}},
                   input);
    }

    [[nodiscard]] std::string token(const std::string& who) const {
        return (files.path() / who).string();
    }

    /// Both must say the same, but for what has changed between two looks.
    void check_same(const words& args) const {
        CAPTURE(args);
        const auto one = direct(args);
        const auto other = served(args);
        CHECK(one.code == other.code);
        CHECK_MESSAGE(one.output == other.output, other.errors);
    }

    [[nodiscard]] std::string enqueue(words more = {}) const {
        more.insert(more.begin(), {"enqueue", "nobody.runs"});
        const auto done = served(more);
        REQUIRE_MESSAGE(done.code == 0, done.errors);
        return done.output.substr(0, done.output.find('\n'));
    }

    test::api_rig rig;
    test::temp_dir files;

   private:
    void put_token(const std::string& who, const std::string& text) const {
        const auto path = files.write(who, text + "\n");
        std::filesystem::permissions(
            path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }

    [[nodiscard]] test::command_result run(words args,
                                           std::vector<std::pair<std::string, std::string>> more,
                                           const std::string& input) const {
        test::process_options options{test::binary("qctl"), std::move(args)};
        options.stdin_text = input;
        options.env = std::move(more);
        options.env.emplace_back("QCTL_CONFIG", (files.path() / "config.yaml").string());
        const auto ours = options.env;
        for (const auto* const name :
             {"QCTL_DB", "QCTL_SERVER", "QCTL_TOKEN_FILE", "DATABASE_URL", "QCTL_MIGRATE_DB",
              "NO_COLOR", "CLICOLOR_FORCE", "PGHOST", "PGUSER", "PGDATABASE"}) {
            if (std::ranges::find(ours, name, &std::pair<std::string, std::string>::first) ==
                ours.end()) {
                options.env.emplace_back(name, "");
            }
        }
        return test::run_command(options);
    }
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string error_code(const test::command_result& of) {
    const auto at = of.errors.find("{\"error\"");
    return at == std::string::npos
               ? of.errors
               : std::string{
                     boost::json::parse(of.errors.substr(at)).at("error").at("code").as_string()};
}

}  // namespace

TEST_SUITE("qctl over a server") {
    TEST_CASE("lists and objects read as they do on the database, in every format") {
        const two_ways both;
        const auto id = both.enqueue({"{\"n\":1.50,\"text\":\"a\\\"b\"}", "--priority", "3",
                                      "--tag", "vip", "--meta", "k=v"});
        REQUIRE(both.served({"queues", "create", "money"}).code == 0);
        REQUIRE(both.served({"queues", "pause", "money", "--reason", "because", "--yes"}).code ==
                0);
        REQUIRE(both.served({"limits", "set", "smtp", "--rate", "10/s", "--burst", "5"}).code == 0);
        REQUIRE(both.served({"schedules", "set", "daily", "30 2 * * *", "nobody.runs", "{\"x\":1}",
                             "--tz", "Europe/Berlin"})
                    .code == 0);
        REQUIRE(both.served({"topics", "subscribe", "order.*", "nobody.runs"}).code == 0);

        for (const auto* const format : {"json", "csv", "yaml"}) {
            for (const auto& args :
                 {words{"queues", "list"}, words{"queues", "show", "money"},
                  words{"jobs", "show", id}, words{"limits", "list", "smtp"},
                  words{"schedules", "list"}, words{"schedules", "show", "daily"},
                  words{"schedules", "next", "daily", "--count", "3"}, words{"topics", "list"},
                  words{"kinds", "unhandled"}}) {
                auto line = args;
                line.insert(line.end(), {"-o", format});
                both.check_same(line);
            }
        }
    }

    TEST_CASE("a job is enqueued, found, explained, cancelled and retried") {
        const two_ways both;
        const auto id = both.enqueue();

        const auto listed = both.served({"jobs", "list", "--kind", "nobody.*", "-o", "id"});
        CHECK_MESSAGE(listed.output == id + "\n", listed.errors);
        CHECK(contains(both.served({"jobs", "explain", id, "-o", "json"}).output, "reason"));
        const auto cancelled = both.served({"jobs", "cancel", id, "--reason", "no more"});
        CHECK_MESSAGE(cancelled.output == "job " + id + ": cancelled\n", cancelled.errors);
        CHECK(both.direct({"jobs", "show", id, "-o", "csv", "--columns", "state", "--no-headers"})
                  .output == "cancelled\n");
        CHECK(both.served({"jobs", "retry", id}).output == "job " + id + ": retried\n");
        CHECK(both.served({"jobs", "wait", id, "--for", "ready"}).code == 0);
        CHECK(both.served({"jobs", "retry", id, "999999"}).code == 8);
    }

    TEST_CASE("many jobs go in batches, and a bad line is named") {
        const two_ways both;
        std::string lines;
        for (int i = 0; i < 1'500; ++i) {
            lines += "{\"kind\":\"nobody.runs\",\"payload\":{\"i\":" + std::to_string(i) + "}}\n";
        }

        const auto done = both.served({"enqueue", "--bulk", "-", "-o", "json"}, "admin", lines);
        CHECK_MESSAGE(done.code == 0, done.errors);
        CHECK(boost::json::parse(done.output).at("enqueued") == 1'500);
        const auto bad = both.served({"enqueue", "--bulk", "-"}, "admin",
                                     "{\"kind\":\"a.b\"}\n{\"kind\":\"A B\"}\n");
        CHECK(bad.code == 8);
        CHECK(contains(bad.errors, "line 2"));
    }

    TEST_CASE("each way to fail has the exit code it has on the database, and names the request") {
        const two_ways both;

        for (const auto& [args, code] :
             std::vector<std::pair<words, int>>{{{"jobs", "show", "999999"}, 3},
                                                {{"queues", "show", "nowhere"}, 3},
                                                {{"schedules", "pause", "none", "--yes"}, 3},
                                                {{"limits", "resume", "none"}, 3},
                                                {{"batches", "show", "77"}, 3},
                                                {{"enqueue", "A B"}, 2},
                                                {{"enqueue", "a.b", "--queue", "nowhere"}, 3}}) {
            CAPTURE(args);
            const auto served = both.served(args);
            CHECK_MESSAGE(served.code == code, served.errors);
            CHECK(both.direct(args).code == code);
            CHECK(contains(served.errors, "request"));
        }
    }

    TEST_CASE("without a right, a token or a server the exit codes are 4, 4 and 9") {
        const two_ways both;

        const auto viewer =
            both.served({"queues", "pause", "default", "--yes", "-o", "json"}, "viewer");
        CHECK(viewer.code == 4);
        CHECK(contains(viewer.errors, "request_id"));
        CHECK(both.served({"queues", "list"}, "viewer").code == 0);
        CHECK(both.served({"queues", "list"}, "stranger").code == 4);
        const auto away = both.served({"queues", "list", "--server", "http://127.0.0.1:1"});
        CHECK(away.code == 9);
        CHECK_FALSE(contains(viewer.errors + away.errors, "lq_"));
        const auto debug = both.served({"queues", "list", "--debug"});
        CHECK(contains(debug.errors, "GET /queues: 200"));
        CHECK_FALSE(contains(debug.errors, "lq_"));
    }

    TEST_CASE("what the API does not offer ends with exit 2, before anything is done") {
        const two_ways both;
        for (const auto& args :
             {words{"migrate", "up", "--server", "http://" + both.rig.address()}, words{"doctor"},
              words{"maintain"}, words{"archive", "list"}, words{"erase", "x", "--yes"},
              words{"jobs", "resolve", "1", "s", "happened"}, words{"batches", "create"}}) {
            CAPTURE(args);
            const auto done = both.served(args);
            CHECK(done.code == 2);
        }
        auto refused = words{"batches", "create", "-o", "json"};
        CHECK(error_code(both.served(refused)) == "needs_database");
    }

    TEST_CASE("tokens, tenants and the audit are reached over the server, too") {
        const two_ways both;

        const auto tenant = both.served({"tenants", "create", "acme"});
        CHECK_MESSAGE(tenant.code == 0, tenant.errors);
        CHECK(tenant.output.size() == 37);
        const auto made = both.served({"tokens", "create", "--role", "viewer", "--ttl", "1h"});
        CHECK_MESSAGE(made.output.starts_with("lq_"), made.errors);
        CHECK(contains(both.served({"audit", "list", "-o", "json"}).output, "tokens."));
        CHECK(both.served({"audit", "verify"}).code == 0);
        CHECK(both.served({"audit", "list"}, "viewer").code == 4);
    }

    TEST_CASE("qctl api reaches what has no verb, and prints lists as lists") {
        const two_ways both;

        const auto me = both.served({"api", "GET", "/whoami", "-o", "json"});
        CHECK(boost::json::parse(me.output).at("role") == "admin");
        CHECK(both.served({"api", "GET", "/api/v1/queues", "-o", "id"}).output == "default\n");
        CHECK(both.served({"api", "GET", "/none"}).code == 3);
        CHECK(both.served({"api", "FETCH", "/queues"}).code == 2);
        CHECK(both.served({"api", "GET", "//evil"}).code == 2);
        CHECK(both.direct({"api", "GET", "/queues"}).code == 2);
    }

    TEST_CASE("top prints one frame where there is no terminal, on both ways") {
        const two_ways both;
        static_cast<void>(both.enqueue());

        for (const auto& done : {both.direct({"top", "--once"}), both.served({"top"})}) {
            CHECK_MESSAGE(done.code == 0, done.errors);
            CHECK(contains(done.output, "QUEUE"));
            CHECK(contains(done.output, "default"));
            CHECK(contains(done.output, "nobody.runs"));
            CHECK_FALSE(contains(done.output, "\x1b"));
        }
        const auto rows = boost::json::parse(both.served({"top", "-o", "json"}).output);
        CHECK(rows.at(0).at("queue") == "default");
    }

    TEST_CASE("a context names the server, and a protected one demands its name") {
        const two_ways both;
        const auto url = "http://" + both.rig.address();
        REQUIRE(both.direct({"context", "set", "prod", "--url", url, "--token", both.token("admin"),
                             "--protected"})
                    .code == 0);

        CHECK(both.direct({"--context", "prod", "queues", "list", "-o", "id"}).output ==
              "default\n");
        const words pause{"--context", "prod", "queues", "pause", "default", "--yes"};
        CHECK(both.direct(pause).code == 5);
        auto named = pause;
        named.insert(named.end(), {"--confirm", "prod"});
        CHECK(both.direct(named).code == 0);
        CHECK(contains(both.direct({"context", "list", "-o", "csv"}).output, "prod"));
        CHECK(both.direct({"context", "set", "x", "--dsn", "postgresql://u:secret@h/d"}).code == 2);
    }

    TEST_CASE("names are completed from the database or the server within half a second") {
        const two_ways both;
        static_cast<void>(both.enqueue());
        const auto url = "http://" + both.rig.address();

        CHECK(both.direct({"__complete", "queues", "queues", "show"}).output == "default\n");
        CHECK(both.served({"__complete", "kinds", "enqueue"}).output ==
              both.direct({"__complete", "kinds", "enqueue"}).output);
        CHECK(both.direct({"__complete", "queues", "--server", url, "--token-file",
                           both.token("admin"), "queues", "show"})
                  .output == "default\n");
        // A server that never answers: 10.255.255.1 is routed nowhere.
        const auto begun = std::chrono::steady_clock::now();
        const auto none = both.served({"__complete", "queues", "--server", "https://10.255.255.1"});
        CHECK(none.code == 0);
        CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{2});
    }

    TEST_CASE("every route of the API is reached by a verb, and no verb asks for one that is not") {
        const auto printed =
            test::run_command(test::process_options{test::binary("workerd"), {"--print-openapi"}});
        REQUIRE(printed.code == 0);
        std::set<std::string> offered;
        const auto described = boost::json::parse(printed.output);
        for (const auto& path : described.at("paths").as_object()) {
            std::string below{path.key()};
            below = below.starts_with("/api/v1") ? below.substr(7) : below;
            for (const auto& method : path.value().as_object()) {
                std::string name{method.key()};
                std::ranges::transform(name, name.begin(), [](char c) {
                    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
                });
                if (name != "PARAMETERS" && name != "HEAD") {
                    offered.insert(name + " " + below);
                }
            }
        }
        std::set<std::string> used;
        for (const auto& use : qctl::route_uses()) {
            used.insert(std::string{use.method} + " " + std::string{use.path});
        }

        for (const auto& route : offered) {
            CHECK_MESSAGE(used.contains(route), route);
        }
        for (const auto& route : used) {
            CHECK_MESSAGE(offered.contains(route), route);
        }
        CHECK(offered.size() > 50);
    }
}
