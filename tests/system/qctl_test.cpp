#include "system/qctl_bench.hpp"

// Every verb, what it prints in each format and what it does to the database.

using test::contains;
using test::lines_of;
using test::qctl_bench;

namespace {

using words = std::vector<std::string>;

std::string text(std::int64_t id) {
    return std::to_string(id);
}

words with(words args, const words& more) {
    args.insert(args.end(), more.begin(), more.end());
    return args;
}

}  // namespace

TEST_SUITE("qctl: every verb in every format") {
    TEST_CASE("lists are arrays, CSV with a header and tables") {
        qctl_bench bench;
        const auto waiting = bench.enqueue();
        const auto dead = bench.bury("boom");
        for (const auto& list :
             {words{"jobs", "list"}, words{"dlq", "list"}, words{"dlq", "groups"},
              words{"queues", "list"}, words{"workers", "list"}, words{"kinds", "unhandled"},
              words{"stats"}, words{"migrate", "status"}}) {
            CAPTURE(list);
            const auto rows = bench.json(list).as_array();
            const auto csv = bench.run(with(list, {"-o", "csv"}));
            const auto bare = bench.run(with(list, {"-o", "csv", "--no-headers"}));
            const auto jsonl = bench.run(with(list, {"-o", "jsonl"}));
            const auto table = bench.run(list);
            const auto wide = bench.run(with(list, {"-o", "wide"}));

            CHECK(lines_of(jsonl.output) == rows.size());
            CHECK(lines_of(csv.output) == rows.size() + 1);
            CHECK(lines_of(bare.output) == rows.size());
            CHECK(lines_of(table.output) == rows.size() + 1);
            CHECK(lines_of(wide.output) == rows.size() + 1);
            CHECK(table.errors.empty());
            CHECK_FALSE(contains(table.output, "\x1b"));
            if (!rows.empty()) {
                // Names are the same in every format.
                const auto first = std::string{rows[0].as_object().begin()->key()};
                CHECK(csv.output.starts_with(first));
            }
        }
        CHECK(waiting < dead);
    }

    TEST_CASE("single things are objects, CSV of one row, names and values") {
        qctl_bench bench;
        const auto waiting = text(bench.enqueue());
        const auto dead = text(bench.bury("boom"));
        for (const auto& one : {words{"jobs", "show", waiting}, words{"jobs", "explain", waiting},
                                words{"dlq", "show", dead}, words{"dlq", "stats"},
                                words{"queues", "show", "default"}, words{"version"}}) {
            CAPTURE(one);
            const auto object = bench.json(one).as_object();
            const auto csv = bench.run(with(one, {"-o", "csv"}));
            const auto jsonl = bench.run(with(one, {"-o", "jsonl"}));

            CHECK(object.size() > 0);
            CHECK(csv.code == 0);
            CHECK(csv.output.starts_with(std::string{object.begin()->key()}));
            CHECK(lines_of(jsonl.output) == 1);
            CHECK(bench.run(one).code == 0);
        }
    }

    TEST_CASE("--columns chooses and orders") {
        qctl_bench bench;
        const auto id = text(bench.enqueue());

        const auto rows = bench.json({"jobs", "list", "--columns", "state,id"}).as_array();
        const auto csv = bench.run({"jobs", "list", "-o", "csv", "--columns=kind,id"});
        const auto wrong = bench.error({"jobs", "list", "--columns", "stat"});

        CHECK(boost::json::serialize(rows) == R"([{"state":"ready","id":)" + id + "}]");
        CHECK(csv.output == "kind,id\na.b," + id + "\n");
        CHECK(wrong.first == 2);
        CHECK(wrong.second.at("hint") == "did you mean 'state'?");
    }

    TEST_CASE("-o id feeds the next command") {
        qctl_bench bench;
        const auto first = text(bench.enqueue());
        const auto second = text(bench.enqueue());

        CHECK(bench.run({"jobs", "list", "-o", "id"}).output == second + "\n" + first + "\n");
        CHECK(bench.run({"queues", "list", "-o", "id"}).output == "default\n");
    }

    TEST_CASE("version and help need no database") {
        const qctl_bench bench;
        for (const auto& args :
             {words{}, words{"help"}, words{"--help"}, words{"version"}, words{"--version"},
              words{"help", "exit-codes"}, words{"help", "jobs", "list"}, words{"help", "dlq"},
              words{"jobs", "list", "-h"}, words{"migrate", "sql"}}) {
            auto options = bench.command(args);
            options.env.emplace_back("QCTL_DB", "host=/nonexistent");
            const auto done = test::run_command(options);
            CHECK(done.code == 0);
            CHECK_FALSE(done.output.empty());
            CHECK(done.errors.empty());
        }
    }
}

TEST_SUITE("qctl enqueue") {
    TEST_CASE("prints the id alone; payload inline, from a file or from stdin") {
        const qctl_bench bench;
        const auto file = bench.files.write("payload.json", R"({"from": "file"})").string();

        const auto inline_id = bench.run({"enqueue", "a.b", R"({"n":12345678901234567890.10})"});
        const auto file_id = bench.run({"enqueue", "a.b", "@" + file});
        const auto stdin_id = bench.run({"enqueue", "a.b", "-"}, R"({"from": "stdin"})");
        const auto none_id = bench.run({"enqueue", "a.b"});

        CHECK(inline_id.output == "1\n");
        CHECK(inline_id.errors.empty());
        const auto payload = [&](const std::string& id) {
            return bench.database.query("SELECT payload FROM queue.job WHERE id = $1::bigint",
                                        {id.substr(0, id.size() - 1)});
        };
        CHECK(payload(inline_id.output) == R"({"n": 12345678901234567890.10})");
        CHECK(payload(file_id.output) == R"({"from": "file"})");
        CHECK(payload(stdin_id.output) == R"({"from": "stdin"})");
        CHECK(payload(none_id.output) == "{}");
        CHECK(contains(bench.run({"jobs", "show", "1", "-o", "json"}).output,
                       R"({"n": 12345678901234567890.10})"));
    }

    TEST_CASE("every option reaches the job") {
        qctl_bench bench;
        bench.database.execute("SELECT queue.create_queue('fast')");

        const auto answer = bench.json({"enqueue",
                                        "a.b",
                                        "{}",
                                        "--queue",
                                        "fast",
                                        "--priority",
                                        "-2",
                                        "--at",
                                        "2099-01-31T08:00:00+02:00",
                                        "--max-attempts",
                                        "7",
                                        "--tag",
                                        "x",
                                        "--tag",
                                        "y",
                                        "--meta",
                                        "who=ann",
                                        "--tenant",
                                        "6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11",
                                        "--unique-key",
                                        "k",
                                        "--window",
                                        "24h"});
        const auto id = text(answer.at("id").as_int64());
        const auto job = bench.json({"jobs", "show", id});

        CHECK(answer.at("duplicate") == false);
        CHECK(job.at("queue") == "fast");
        CHECK(job.at("priority") == -2);
        CHECK(job.at("state") == "scheduled");
        CHECK(job.at("run_at") == "2099-01-31T06:00:00.000000Z");
        CHECK(job.at("max_attempts") == 7);
        CHECK(job.at("tenant_id") == "6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11");
        CHECK(job.at("meta").at("who") == "ann");
        CHECK(boost::json::serialize(job.at("meta").at("tags")) == R"(["x","y"])");
        CHECK(bench.database.query("SELECT round(extract(epoch FROM expires_at - now()) / 3600) "
                                   "FROM queue.idempotency") == "24");
    }

    TEST_CASE("the same key and payload is the same job, another payload is refused") {
        qctl_bench bench;
        const words first{"enqueue", "a.b", R"({"n":1})", "--unique-key", "k"};

        const auto id = bench.json(first).at("id").as_int64();
        bench.worker.complete(id, R"({"done": 1.10})");
        const auto again = bench.run(with(first, {"-o", "json"}));
        const auto other = bench.error({"enqueue", "a.b", R"({"n":2})", "--unique-key", "k"});

        CHECK(again.output ==
              "{\"id\":" + text(id) + ",\"duplicate\":true,\"output\":{\"done\": 1.10}}\n");
        CHECK(other.first == 5);
        CHECK(other.second.at("code") == "idempotency_conflict");
    }

    TEST_CASE("a dry run shows the job and enqueues nothing") {
        const qctl_bench bench;

        const auto plan = bench.json({"enqueue", "a.b", R"({"n":1})", "--queue", "q", "-n"});

        CHECK(plan.at("dry_run") == true);
        CHECK(plan.at("kind") == "a.b");
        CHECK(plan.at("payload").at("n") == 1);
        CHECK(bench.code({"enqueue", "a.b", "{", "-n"}) == 2);
        CHECK(bench.jobs() == 0);
    }

    TEST_CASE("--wait tells how the job ended") {
        qctl_bench bench;
        test::process waiting{bench.command({"enqueue", "a.b", "--wait=30s", "-o", "json"})};
        REQUIRE(test::wait_until([&] { return bench.jobs() == 1; }));
        bench.worker.complete(1, R"({"sum": 3})");
        const auto ended = waiting.wait(std::chrono::seconds{30});

        REQUIRE(ended);
        CHECK(ended->code == 0);
        const auto answer = boost::json::parse(waiting.output());
        CHECK(answer.at("state") == "completed");
        CHECK(answer.at("output").at("sum") == 3);

        const auto late = bench.run({"enqueue", "a.b", "--wait=50ms"});
        CHECK(late.code == 7);
        CHECK(late.output == "2\n");
        CHECK(contains(late.errors, "still ready after 50ms"));
    }
}

TEST_SUITE("qctl jobs") {
    TEST_CASE("list filters by state, kind, queue, tag, age and page") {
        qctl_bench bench;
        bench.database.execute("SELECT queue.create_queue('other')");
        const auto ready = bench.enqueue({"--tag", "red"});
        const auto later = bench.enqueue({"--in", "1h"});
        const auto other = bench.enqueue({"--queue", "other"});
        const auto dead = bench.bury("boom");
        const auto ids = [&](words filter) {
            filter.insert(filter.begin(), {"jobs", "list", "-o", "id"});
            const auto done = bench.run(std::move(filter));
            CHECK_MESSAGE(done.code == 0, done.errors);
            return done.output;
        };

        CHECK(ids({"--state", "dead"}) == text(dead) + "\n");
        CHECK(ids({"--state", "scheduled,dead"}) == text(dead) + "\n" + text(later) + "\n");
        CHECK(ids({"--queue", "other"}) == text(other) + "\n");
        CHECK(ids({"--tag", "red"}) == text(ready) + "\n");
        CHECK(ids({"--kind", "a.*", "--limit", "1"}) == text(dead) + "\n");
        CHECK(ids({"--kind", "x*"}).empty());
        CHECK(ids({"--before", text(later)}) == text(ready) + "\n");
        CHECK(lines_of(ids({"--since", "1h"})) == 4);
        CHECK(ids({"--since", "2099-01-01T00:00:00Z"}).empty());
        CHECK(ids({"--tenant", "6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"}).empty());
    }

    TEST_CASE("show prints one object or a list, with attempts when asked") {
        qctl_bench bench;
        const auto id = text(bench.bury("first line\nsecond \x1b[2J"));
        const auto second = text(bench.enqueue());

        const auto job = bench.json({"jobs", "show", id, "--attempts"});
        const auto people = bench.run({"jobs", "show", id, "--attempts"});

        CHECK(job.at("state") == "dead");
        CHECK(job.at("attempts").as_array().size() == 1);
        CHECK(job.at("attempts").at(0).at("outcome") == "failed");
        CHECK(contains(people.output, "first line\\nsecond \\x1b[2J"));
        CHECK_FALSE(contains(people.output, "\x1b"));
        CHECK(bench.json({"jobs", "show", id, second}).as_array().size() == 2);

        const auto partly = bench.run({"jobs", "show", id, "999", "-o", "json"});
        CHECK(partly.code == 8);
        CHECK(boost::json::parse(partly.output).as_array().size() == 1);
        CHECK(bench.code({"jobs", "show", "998", "999"}) == 3);
    }

    TEST_CASE("explain gives the reason") {
        const qctl_bench bench;
        const auto id = text(bench.enqueue({"--in", "1h"}));

        CHECK(bench.json({"jobs", "explain", id}).at("reason") == "scheduled");
        CHECK(bench.code({"jobs", "explain", "999"}) == 3);
    }

    TEST_CASE("retry and cancel act on each id and say which failed") {
        qctl_bench bench;
        const auto waiting = bench.enqueue({"--in", "1h"});
        const auto done = bench.enqueue();
        bench.worker.complete(done);
        const auto dead = bench.bury("boom");

        CHECK(bench.json({"jobs", "retry", text(waiting)}).at("result") == "retried");
        CHECK(bench.state(waiting) == "ready");
        CHECK(bench.run({"jobs", "retry", text(dead)}).output ==
              "job " + text(dead) + ": retried\n");
        CHECK(bench.state(dead) == "ready");
        CHECK(bench.error({"jobs", "retry", text(done)}).first == 5);

        const auto some =
            bench.run({"jobs", "cancel", text(waiting), text(done), "999", "-o", "json"});
        CHECK(some.code == 8);
        const auto rows = boost::json::parse(some.output).as_array();
        REQUIRE(rows.size() == 3);
        CHECK(rows[0].at("result") == "cancelled");
        CHECK(rows[1].at("result") == "failed");
        CHECK(rows[2].at("error") == "no job 999");
        CHECK(bench.state(waiting) == "cancelled");
        CHECK(bench.code({"jobs", "cancel", "998", "999"}) == 3);
    }

    TEST_CASE("stats says what the tables suffer from, and maintain cures it") {
        qctl_bench bench;
        bench.database.execute(
            "ALTER TABLE queue.ready SET (autovacuum_enabled = off);"
            "SELECT queue.enqueue_many('a.b', array_fill('{}'::jsonb, ARRAY[120000]))");
        CHECK(bench.run({"stats"}).errors.empty());
        CHECK(bench.json({"maintain"}).as_array().empty());
        bench.database.execute("DELETE FROM queue.ready");

        REQUIRE(test::wait_until(
            [&] { return contains(bench.run({"stats"}).errors, "run: VACUUM queue.ready"); }));
        const auto planned = bench.json({"maintain", "-n"});
        CHECK(planned.at(0).at("command") == "VACUUM queue.ready");
        CHECK(planned.at(0).at("done") == false);
        CHECK(bench.json({"maintain"}).at(0).at("done") == true);
        CHECK(test::wait_until([&] { return bench.json({"maintain"}).as_array().empty(); }));
        CHECK(bench.run({"stats"}).errors.empty());
    }

    TEST_CASE("cancel asks a running job, and a reason is kept") {
        qctl_bench bench;
        const auto running = bench.enqueue();
        static_cast<void>(bench.worker.claim(running));
        const auto waiting = bench.enqueue();

        CHECK(bench.json({"jobs", "cancel", text(running)}).at("result") == "asked to cancel");
        CHECK(bench.code({"jobs", "cancel", text(waiting), "--reason", "withdrawn"}) == 0);
        CHECK(bench.json({"jobs", "show", text(waiting)}).at("last_error") == "withdrawn");
    }

    TEST_CASE("a dry run of retry and cancel changes nothing") {
        const qctl_bench bench;
        const auto id = bench.enqueue({"--in", "1h"});

        CHECK(bench.json({"jobs", "cancel", text(id), "-n"}).at("result") ==
              "would cancel (scheduled)");
        CHECK(bench.json({"jobs", "retry", text(id), "-n"}).at("result") ==
              "would retry (scheduled)");
        CHECK(bench.state(id) == "scheduled");
    }

    TEST_CASE("wait tells completed, ended otherwise, timed out and missing apart") {
        qctl_bench bench;
        const auto done = bench.enqueue();
        bench.worker.complete(done);
        const auto dead = bench.bury("boom");
        const auto waiting = bench.enqueue();
        const auto code = [&](words args) {
            args.insert(args.begin(), {"jobs", "wait", "--timeout", "50ms"});
            return bench.code(std::move(args));
        };

        CHECK(code({text(done)}) == 0);
        CHECK(code({text(done), text(dead)}) == 1);
        CHECK(code({text(waiting)}) == 7);
        CHECK(code({text(dead), text(waiting)}) == 7);
        CHECK(code({text(done), "999"}) == 3);
        CHECK(code({text(dead), "--for", "dead"}) == 0);
        CHECK(code({text(done), "--for", "running,dead"}) == 1);
        CHECK(code({text(waiting), "--for", "ready"}) == 0);
        CHECK(code({text(waiting), "--for", "running"}) == 7);
        CHECK(bench.json({"jobs", "wait", text(done)}).at("state") == "completed");
    }
}

TEST_SUITE("qctl limits") {
    TEST_CASE("set, list, stop, resume and reset") {
        const qctl_bench bench;

        CHECK(bench
                  .run({"limits", "set", "stripe", "--burst", "25", "--rate", "300/min",
                        "--concurrency", "10"})
                  .output == "limit stripe: set\n");
        auto one = bench.json({"limits", "list", "stripe"}).as_array().at(0).as_object();
        CHECK(one.at("burst") == 25);
        CHECK(one.at("rate").to_number<double>() == 5);
        CHECK(one.at("concurrency") == 10);
        CHECK(one.at("tokens") == 25);
        CHECK(one.at("running") == 0);
        CHECK(one.at("stopped") == false);
        bench.database.execute("SELECT queue.limit_take('stripe', 20)");
        CHECK(bench.json({"limits", "list"}).as_array().at(0).at("tokens").as_int64() < 25);
        CHECK(bench.json({"limits", "reset", "stripe"}).at("result") == "filled 1 bucket");
        CHECK(bench.json({"limits", "list"}).as_array().at(0).at("tokens") == 25);
        CHECK(bench.json({"limits", "stop", "stripe", "--reason", "fire", "--yes"}).at("result") ==
              "stopped");
        one = bench.json({"limits", "list"}).as_array().at(0).as_object();
        CHECK(one.at("stopped") == true);
        CHECK(one.at("stop_reason") == "fire");
        CHECK(bench.json({"limits", "resume", "stripe"}).at("result") == "resumed");
        CHECK(bench.json({"limits", "list"}).as_array().at(0).at("stopped") == false);
        // What is not said stays as it is; 0 takes it away.
        CHECK(
            bench.json({"limits", "set", "stripe", "--concurrency", "0", "--unpin"}).at("result") ==
            "set");
        CHECK(bench.database.query("SELECT burst || ' ' || rate || ' ' || (concurrency IS NULL) "
                                   "|| ' ' || pinned FROM queue.limit_rule") == "25 5 true false");
    }

    TEST_CASE("levels, breakers, and a limit closed by hand") {
        const qctl_bench bench;

        CHECK(bench.code({"limits", "set", "platform", "--concurrency", "50"}) == 0);
        CHECK(bench
                  .json({"limits", "set", "stripe", "--parent", "platform", "--breaker-percent",
                         "25", "--breaker-requests", "3", "--breaker-window", "10s",
                         "--breaker-cooldown", "5s"})
                  .at("result") == "set");
        CHECK(bench.database.query("SELECT breaker_ratio || ' ' || breaker_min_requests || ' ' || "
                                   "breaker_window || ' ' || breaker_cooldown FROM "
                                   "queue.limit_rule WHERE name = 'stripe'") ==
              "0.25 3 00:00:10 00:00:05");
        CHECK(bench.json({"limits", "close", "stripe", "--for", "5m", "--reason", "asked to"})
                  .at("result") == "closed");
        bench.database.execute("SELECT queue.limit_report('stripe', '', 3, 1)");
        bench.database.execute("SELECT queue.limit_take('stripe')");
        auto one = bench.json({"limits", "list", "stripe"}).as_array().at(0).as_object();
        CHECK(one.at("parent") == "platform");
        CHECK(one.at("circuit") == "open");
        CHECK(one.at("close_reason") == "asked to");
        CHECK(bench.json({"limits", "reset", "stripe"}).at("result") == "filled 0 buckets");
        one = bench.json({"limits", "list", "stripe"}).as_array().at(0).as_object();
        CHECK(one.at("circuit") == "closed");
        CHECK(one.at("closed_until").is_null());
        // Refused: a circle, a limit that is not there, no time at all.
        CHECK(bench.code({"limits", "set", "platform", "--parent", "stripe"}) == 2);
        CHECK(bench.code({"limits", "set", "stripe", "--parent", "nope"}) == 3);
        CHECK(bench.code({"limits", "close", "nope"}) == 3);
        CHECK(bench.code({"limits", "close", "stripe", "--for", "0s"}) == 2);
    }

    TEST_CASE("a dry run changes nothing") {
        const qctl_bench bench;
        CHECK(bench.json({"limits", "set", "stripe", "--rate", "5/s"}).at("result") == "set");

        for (const auto& args :
             {words{"limits", "set", "stripe", "--rate", "1/s", "-n"},
              words{"limits", "stop", "stripe", "-n"}, words{"limits", "reset", "stripe", "-n"}}) {
            CHECK(bench.json(args).at("result").as_string().starts_with("would be"));
        }
        CHECK(bench.database.query("SELECT rate || ' ' || (stopped_at IS NULL) FROM "
                                   "queue.limit_rule") == "5 true");
    }

    TEST_CASE("what is wrong is said: unknown limits exit 3, bad figures exit 2") {
        const qctl_bench bench;
        for (const auto& args :
             {words{"limits", "stop", "nope", "-y"}, words{"limits", "resume", "nope"},
              words{"limits", "reset", "nope"}, words{"limits", "list", "nope"},
              words{"limits", "stop", "nope", "-n"}}) {
            const auto [code, error] = bench.error(args);
            CHECK(code == 3);
            CHECK(error.at("code") == "not_found");
            CHECK_FALSE(error.at("hint").as_string().empty());
        }
        for (const auto& args : {words{"limits", "set", "stripe", "--rate", "5/week"},
                                 words{"limits", "set", "stripe", "--burst", "0"},
                                 words{"limits", "set", "stripe", "--concurrency", "-1"}}) {
            CHECK(bench.code(args) == 2);
        }
        // A stop must be meant.
        CHECK(bench.code({"limits", "stop", "stripe", "--no-input"}) == 2);
    }
}

TEST_SUITE("qctl queues") {
    TEST_CASE("create, show, pause and resume") {
        const qctl_bench bench;

        CHECK(bench.json({"queues", "create", "fast"}).at("result") == "created");
        CHECK(bench.json({"queues", "create", "fast"}).at("result") == "created");
        CHECK(bench.json({"queues", "pause", "fast", "--reason", "why not", "--yes"}).at("queue") ==
              "fast");
        const auto paused = bench.json({"queues", "show", "fast"});
        CHECK(paused.at("paused") == true);
        CHECK(paused.at("pause_reason") == "why not");
        CHECK(bench.run({"queues", "resume", "fast"}).output == "queue fast: resumed\n");
        CHECK(bench.json({"queues", "show", "fast"}).at("paused") == false);
    }

    TEST_CASE("verbs on a queue that is not there exit 3") {
        const qctl_bench bench;
        for (const auto& args :
             {words{"queues", "show", "nope"}, words{"queues", "pause", "nope", "-y"},
              words{"queues", "resume", "nope"}, words{"queues", "drain", "nope"},
              words{"queues", "purge", "nope", "--confirm", "nope"},
              words{"queues", "pause", "nope", "-n"}, words{"enqueue", "a.b", "--queue", "nope"}}) {
            const auto [code, error] = bench.error(args);
            CHECK(code == 3);
            CHECK(error.at("code") == "unknown_queue");
            CHECK_FALSE(error.at("hint").as_string().empty());
        }
    }

    TEST_CASE("drain waits until nothing is outstanding") {
        qctl_bench bench;
        CHECK(bench.json({"queues", "drain", "default"}).at("outstanding") == 0);
        const auto id = bench.enqueue();
        CHECK(bench.code({"queues", "drain", "default", "--timeout", "50ms"}) == 7);

        test::process draining{bench.command({"queues", "drain", "default", "--wait=30s"})};
        bench.worker.complete(id);
        const auto ended = draining.wait(std::chrono::seconds{30});

        REQUIRE(ended);
        CHECK(ended->code == 0);
        CHECK(draining.output() == "queue default: 0 outstanding\n");
    }

    TEST_CASE("purge cancels what waits, after its name was given") {
        qctl_bench bench;
        const auto waiting = bench.enqueue();
        const auto running = bench.enqueue();
        static_cast<void>(bench.worker.claim(running));

        CHECK(bench.json({"queues", "purge", "default", "-n"}).at("cancelled") == 1);
        CHECK(bench.state(waiting) == "ready");
        CHECK(bench.json({"queues", "purge", "default", "--confirm", "default"}).at("cancelled") ==
              1);
        CHECK(bench.state(waiting) == "cancelled");
        CHECK(bench.state(running) == "running");
    }
}

TEST_SUITE("qctl migrate") {
    TEST_CASE("status, check, up and verify on an empty database") {
        test::test_database empty{test::test_database::content::empty};
        const auto qctl = [&](words args) {
            test::process_options options{test::binary("qctl"), std::move(args)};
            options.env = {{"QCTL_DB", "host=/nonexistent"}, {"QCTL_MIGRATE_DB", empty.dsn()}};
            return test::run_command(options);
        };

        CHECK(qctl({"migrate", "check"}).code == 6);
        CHECK(qctl({"migrate", "verify"}).code == 0);
        const auto plan = qctl({"migrate", "up", "-n", "-o", "json"});
        CHECK(plan.code == 0);
        CHECK(boost::json::parse(plan.output).as_array().size() >= 3);
        CHECK(contains(qctl({"migrate", "up", "-n", "--show-sql"}).output, "CREATE TABLE"));
        CHECK(qctl({"migrate", "up", "--show-sql"}).code == 2);
        CHECK(qctl({"migrate", "check"}).code == 6);

        CHECK(qctl({"migrate", "up"}).code == 0);
        CHECK(qctl({"migrate", "up"}).output == "the schema is up to date\n");
        CHECK(qctl({"migrate", "check"}).code == 0);
        const auto status = qctl({"migrate", "status", "-o", "json"});
        const auto rows = boost::json::parse(status.output);
        for (const auto& row : rows.as_array()) {
            CHECK(row.at("applied") == true);
            CHECK(row.at("applied_at").as_string().ends_with("Z"));
        }

        empty.execute("UPDATE queue.migration SET checksum = 'x' WHERE number = 2");
        CHECK(qctl({"migrate", "verify"}).code == 6);
        CHECK(qctl({"migrate", "check"}).code == 6);
    }

    TEST_CASE("another schema is another queue") {
        test::test_database empty{test::test_database::content::empty};
        const auto qctl = [&](words args) {
            args.insert(args.end(), {"--schema", "jobs_2", "--db", empty.dsn()});
            return test::run_command(test::process_options{test::binary("qctl"), args});
        };

        CHECK(qctl({"migrate", "up"}).code == 0);
        CHECK(qctl({"enqueue", "a.b"}).output == "1\n");
        CHECK(empty.query("SELECT count(*) FROM jobs_2.job") == "1");
        CHECK(qctl({"jobs", "show", "1"}).code == 0);
        CHECK(contains(qctl({"migrate", "sql"}).output, "jobs_2.job"));
        const auto bad = test::run_command(test::process_options{
            test::binary("qctl"), {"stats", "--schema", "a\"b; --", "--db", empty.dsn()}});
        CHECK(bad.code == 2);
    }
}
