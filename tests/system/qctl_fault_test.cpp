#include "support/http_receiver.hpp"
#include "system/qctl_bench.hpp"

#include <sys/stat.h>

#include <array>

// Exit codes, errors, and whatever a stranger may type.

using test::contains;
using test::qctl_bench;

namespace {

using words = std::vector<std::string>;

test::command_result with_dsn(const qctl_bench& bench, const std::string& dsn, words args) {
    args.insert(args.end(), {"--db", dsn});
    return bench.run(std::move(args));
}

}  // namespace

TEST_SUITE("qctl exit codes") {
    TEST_CASE("2: wrong use, said in JSON when asked for, before any database is needed") {
        const qctl_bench bench;
        for (const auto& args :
             {words{"jbos"}, words{"jobs"}, words{"jobs", "show"}, words{"jobs", "list", "--stat"},
              words{"enqueue"}, words{"enqueue", "a.b", "--at", "now"}, words{"dlq", "discard"},
              words{"help", "nonsense"}, words{"enqueue", "a.b", "@/nonexistent/file"},
              words{"enqueue", "--bulk", "/nonexistent/file"}}) {
            CAPTURE(args);
            const auto [code, error] = bench.error(args);
            CHECK(code == 2);
            CHECK(error.at("code") == "usage");
            CHECK_FALSE(error.at("message").as_string().empty());
        }
    }

    TEST_CASE("4: a role that may not, or does not exist") {
        const qctl_bench bench;
        bench.database.execute("DROP ROLE IF EXISTS lq_nobody");
        bench.database.execute("CREATE ROLE lq_nobody LOGIN");
        const auto as = [&](const std::string& user) {
            return with_dsn(bench, bench.database.dsn() + " user=" + user, {"jobs", "list"});
        };

        const auto refused = as("lq_nobody");
        const auto missing = as("lq_never_made");

        CHECK(refused.code == 4);
        CHECK(contains(refused.errors, "permission denied"));
        CHECK(missing.code == 4);
        bench.database.execute("DROP ROLE lq_nobody");
    }

    TEST_CASE("5: a database without the schema") {
        const qctl_bench bench;
        const test::test_database empty{test::test_database::content::empty};

        const auto done = with_dsn(bench, empty.dsn(), {"jobs", "list"});

        CHECK(done.code == 5);
        CHECK(contains(done.errors, "qctl migrate up"));
    }

    TEST_CASE("7: a statement that takes too long") {
        const qctl_bench bench;
        test::connection other{bench.database.dsn()};
        other.execute("BEGIN");
        other.execute("LOCK TABLE queue.queue IN ACCESS EXCLUSIVE MODE");

        const auto done = bench.run({"queues", "list", "--timeout", "100ms"});

        CHECK(done.code == 7);
        CHECK(contains(done.errors, "--timeout"));
    }

    TEST_CASE("9: nobody there, an unknown database, a string that is no DSN") {
        const qctl_bench bench;
        for (const auto* const dsn : {"host=/nonexistent", "postgresql://127.0.0.1:1/x", "nonsense",
                                      "host=127.0.0.1 port=99999"}) {
            const auto done = with_dsn(bench, dsn, {"stats"});
            CHECK_MESSAGE(done.code == 9, done.errors);
            CHECK(done.output.empty());
        }
        CHECK(with_dsn(bench, bench.database.dsn() + " dbname=lq_no_such", {"stats"}).code == 9);
    }

    TEST_CASE("1: the output cannot be written") {
        qctl_bench bench;
        static_cast<void>(bench.enqueue());
        test::process_options shell{
            "sh", {"-c", test::binary("qctl").string() + " jobs list >/dev/full"}};
        shell.env.emplace_back("QCTL_DB", bench.database.dsn());

        const auto done = test::run_command(shell);

        CHECK(done.code == 1);
        CHECK(contains(done.errors, "cannot write the output"));
    }
}

TEST_SUITE("qctl secrets") {
    TEST_CASE("--debug tells the operation without passwords and payloads") {
        const qctl_bench bench;

        const auto done = with_dsn(bench, bench.database.dsn() + " password=s3cret",
                                   {"enqueue", "a.b", R"({"card":"4242"})", "--meta", "pin=1234",
                                    "--debug", "-v", "--queue", "default"});

        CHECK(done.code == 0);
        CHECK(contains(done.errors, "debug: enqueue a.b (15 bytes)"));
        CHECK(contains(done.errors, "--queue=default"));
        CHECK(contains(done.errors, "password=***"));
        for (const auto* const secret : {"s3cret", "4242", "1234"}) {
            CHECK_FALSE(contains(done.errors, secret));
        }
    }

    TEST_CASE("a failed connection does not print the password") {
        const qctl_bench bench;
        const auto done = with_dsn(bench, "postgresql://ann:s3cret@127.0.0.1:1/x", {"stats"});

        CHECK(done.code == 9);
        CHECK_FALSE(contains(done.errors, "s3cret"));
    }

    TEST_CASE("over http no proxy of the environment is shown the token") {
        const qctl_bench bench;
        test::http_receiver server;
        test::http_receiver proxy;
        server.reply_with([](const test::http_request&) { return test::http_reply{200, "{}"}; });
        const auto token = bench.files.write("token", "lq_secret\n");
        ::chmod(token.c_str(), 0600);
        auto options = bench.command(
            {"api", "GET", "/whoami", "--server", server.url(""), "--token-file", token.string()});
        for (const auto* const name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
            options.env.emplace_back(name, proxy.url(""));
        }

        options.env.emplace_back("no_proxy", "");

        static_cast<void>(test::run_command(options));

        REQUIRE(server.requests().size() == 1);
        CHECK(server.requests()[0].header("authorization") == "Bearer lq_secret");
        CHECK(proxy.requests().empty());
    }
}

TEST_SUITE("qctl bad input") {
    TEST_CASE("a bad payload is refused, whichever way it comes, and nothing is enqueued") {
        const qctl_bench bench;
        const std::array<std::string, 17> payloads{
            "",
            "   ",
            R"({"a": )",
            "{} {}",
            "{'a': 1}",
            "nope",
            "NaN",
            std::string{"{\"a\": \"x\0y\"}", 12},
            R"({"a": "\u0000"})",
            R"({"a": "\ud83d"})",
            R"({"a": "\ude00\ud83d"})",
            "{\"a\": \"\xff\xfe\"}",
            "{\"a\": \"\xed\xa0\x80\"}",
            std::string(20'000, '[') + std::string(20'000, ']'),
            "1e1000000",
            "\"\x01\"",
            "\"" + std::string(2'000'000, 'x') + "\"",
        };
        for (const auto& payload : payloads) {
            CAPTURE(payload.substr(0, 40));
            const auto [code, error] = bench.error({"enqueue", "a.b", "-"}, payload);
            CHECK(code == 2);
            const auto& name = error.at("code").as_string();
            CHECK((name == "invalid_payload" || name == "payload_too_large"));
            // In a file of many the fault names its line; a line cannot hold a line break or NUL.
            if (!payload.empty() && payload.find_first_not_of(' ') != std::string::npos &&
                payload.find('\0') == std::string::npos) {
                const auto [bulk_code, bulk_error] =
                    bench.error({"enqueue", "a.b", "--bulk", "-"}, payload + "\n{}\n");
                CHECK(bulk_code == 2);
                CHECK(bulk_error.at("message").as_string().starts_with("line 1: "));
            }
        }
        CHECK(bench.jobs() == 0);
    }

    TEST_CASE("odd but storable payloads come back as they went in") {
        const qctl_bench bench;
        for (const std::string payload :
             {"1", "null", R"({"a": "'; DROP TABLE queue.job; --", "b": "$1 $$ \" \\"})",
              R"({"a": "\ud83d\ude00"})", "[1e308, -1e-308, 123456789012345678901234567890.5]",
              R"({"": ""})", "[[[[[[[[]]]]]]]]"}) {
            CAPTURE(payload);
            const auto made = bench.run({"enqueue", "a.b", payload});
            REQUIRE(made.code == 0);
            const auto id = made.output.substr(0, made.output.size() - 1);
            const auto stored =
                bench.database.query("SELECT payload FROM queue.job WHERE id = $1::bigint", {id});
            const auto shown = bench.run({"jobs", "show", id, "-o", "json"});
            CHECK(bench.database.query("SELECT $1::jsonb = payload FROM queue.job "
                                       "WHERE id = $2::bigint",
                                       {payload, id}) == "t");
            CHECK(contains(shown.output, "\"payload\":" + stored));
        }
    }

    TEST_CASE("bad names, numbers and times are refused with exit 2") {
        const qctl_bench bench;
        const std::string zeros(400, '9');
        for (const auto& args : {words{"enqueue", ""},
                                 words{"enqueue", "A.B"},
                                 words{"enqueue", "a b"},
                                 words{"enqueue", "a'; DROP TABLE queue.job; --"},
                                 words{"enqueue", "caf\xc3\xa9"},
                                 words{"enqueue", "bad\xff"},
                                 words{"enqueue", std::string(65, 'k')},
                                 words{"enqueue", "a.b", "--queue", ""},
                                 words{"enqueue", "a.b", "--queue", "q\"q"},
                                 words{"enqueue", "a.b", "--queue", std::string(65, 'q')},
                                 words{"enqueue", "a.b", "--priority", zeros},
                                 words{"enqueue", "a.b", "--priority", "1e3"},
                                 words{"enqueue", "a.b", "--max-attempts", "0"},
                                 words{"enqueue", "a.b", "--max-attempts", "1001"},
                                 words{"enqueue", "a.b", "--in", "-5s"},
                                 words{"enqueue", "a.b", "--in", "99999d"},
                                 words{"enqueue", "a.b", "--in", zeros + "d"},
                                 words{"enqueue", "a.b", "--at", "9999-99-99T00:00:00Z"},
                                 words{"enqueue", "a.b", "--at", "infinity"},
                                 words{"enqueue", "a.b", "--unique-key", ""},
                                 words{"enqueue", "a.b", "--unique-key", std::string(513, 'k')},
                                 words{"enqueue", "a.b", "--window", "36500d", "--unique-key", "k"},
                                 words{"enqueue", "a.b", "--tenant", "' OR 1=1"},
                                 words{"enqueue", "a.b", "--tag", std::string(70'000, 't')},
                                 words{"enqueue", "a.b", "--meta", "k=" + std::string(70'000, 'v')},
                                 words{"jobs", "show", "9223372036854775808"},
                                 words{"jobs", "show", "-1"},
                                 words{"jobs", "list", "--limit", "10001"},
                                 words{"queues", "create", "a b"},
                                 words{"queues", "create", std::string(65, 'q')},
                                 words{"queues", "show", "\x1b[2J"},
                                 words{"stats", "--schema", std::string(64, 's')},
                                 words{"dlq", "replay", "1", "--edit", "{"},
                                 words{"dlq", "replay", "1", "--to", "a b"}}) {
            CAPTURE(args);
            const auto done = bench.run(args);
            CHECK_MESSAGE(done.code == 2, done.errors);
            CHECK(done.output.empty());
            CHECK_FALSE(contains(done.errors, "\x1b"));
        }
        CHECK(bench.jobs() == 0);
    }

    TEST_CASE("quotes and SQL in filters, keys and reasons are only text") {
        qctl_bench bench;
        const std::string nasty = "'; DROP TABLE queue.job; -- \" $1 \\ %";
        const auto id =
            bench.enqueue({"--unique-key", nasty, "--tag", nasty, "--meta", nasty + "=" + nasty});

        CHECK(bench.run({"jobs", "list", "--tag", nasty, "-o", "id"}).output ==
              std::to_string(id) + "\n");
        CHECK(bench.run({"jobs", "list", "--kind", nasty}).code == 0);
        CHECK(bench.run({"dlq", "list", "--error", nasty, "--fingerprint", nasty}).code == 0);
        CHECK(bench.run({"queues", "pause", "default", "--yes", "--reason", nasty}).code == 0);
        CHECK(bench.json({"queues", "show", "default"}).at("pause_reason").as_string() == nasty);
        CHECK(bench.run({"jobs", "cancel", std::to_string(id), "--reason", nasty}).code == 0);
        CHECK(bench.json({"jobs", "show", std::to_string(id)}).at("last_error").as_string() ==
              nasty);
    }

    TEST_CASE("what workers stored cannot take over the terminal, in any format") {
        qctl_bench bench;
        static_cast<void>(
            bench.bury("\x1b]0;title\x07"
                       "2J\xc2\x9b"
                       "2J \xe2\x80\xaegnp",
                       {"--tag", "x"}));
        for (const auto* const format : {"table", "wide", "json", "jsonl", "csv"}) {
            for (const auto& list : {words{"dlq", "list"}, words{"jobs", "list"},
                                     words{"dlq", "groups"}, words{"dlq", "export"}}) {
                auto args = list;
                args.insert(args.end(), {"-o", format});
                const auto shown = bench.run(args).output;
                CHECK_FALSE(contains(shown, "\x1b"));
                CHECK_FALSE(contains(shown, "\x07"));
                CHECK_FALSE(contains(shown, "\xc2\x9b"));
                CHECK_FALSE(contains(shown, "\xe2\x80\xae"));
            }
        }
    }
}
