#include "system/qctl_two_ways.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

// The same verb on the database and over the API of a real workerd: the same words on stdout and
// the same exit code, whoever answers.

namespace {

using words = std::vector<std::string>;

using test::contains;
using test::error_code;
using test::two_ways;

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
                                                {{"workers", "show", "999999"}, 3},
                                                {{"workers", "quiet", "999999", "--yes"}, 3},
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
        CHECK(both.served({"workers", "quiet", "1", "--yes"}, "viewer").code == 4);
        CHECK(both.served({"queues", "list"}, "viewer").code == 0);
        CHECK(both.served({"queues", "list"}, "stranger").code == 4);
        const auto away = both.served({"queues", "list", "--server", "http://127.0.0.1:1"});
        CHECK(away.code == 9);
        CHECK_FALSE(contains(viewer.errors + away.errors, "lq_"));
        const auto debug = both.served({"queues", "list", "--debug"});
        CHECK(contains(debug.errors, "GET /queues: 200"));
        CHECK_FALSE(contains(debug.errors, "lq_"));
    }

    TEST_CASE("a worker is shown, quieted, resumed and stopped, and then too late for more") {
        const two_ways both;
        // One that nobody is: what is asked of it stays as it is.
        const auto id = both.rig.db().query(
            "INSERT INTO queue.worker (beat_at, started_at, heartbeat_ms, lease_ms, pid, name, "
            "host, version, queues, kinds) VALUES (clock_timestamp(), clock_timestamp(), 2000, "
            "3600000, 1, 'w', 'here', '0', '{}', '{}') RETURNING id");
        const auto ask = [&](const char* wish) {
            return both.served({"workers", wish, id, "--yes"});
        };

        CHECK(ask("quiet").output == "worker " + id + ": asked to be quiet\n");
        both.check_same({"workers", "show", id, "-o", "json"});
        CHECK(
            contains(both.served({"workers", "list", "-o", "csv", "--columns", "id,asked"}).output,
                     id + ",quiet\n"));
        CHECK(ask("resume").output == "worker " + id + ": asked to go on\n");
        CHECK(ask("drain").output == "worker " + id + ": asked to drain\n");
        CHECK(ask("stop").output == "worker " + id + ": asked to stop\n");
        const auto late = both.served({"workers", "resume", id, "-o", "json"});
        CHECK(late.code == 5);
        CHECK(error_code(late) == "conflict");
        CHECK(both.direct({"workers", "resume", id}).code == 5);
        CHECK(contains(both.direct({"__complete", "workers", "workers", "show"}).output, id));
        CHECK(both.rig.db().query("SELECT string_agg(action, ' ' ORDER BY id) FROM queue.audit "
                                  "WHERE target = $1 AND action LIKE 'workers.%'",
                                  {id}) ==
              "workers.quiet workers.resume workers.drain workers.stop");
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
        CHECK(contains(both.direct({"__complete", "zones"}).output, " Europe/Berlin "));
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
}
