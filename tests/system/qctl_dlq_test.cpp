#include "system/qctl_bench.hpp"

using test::contains;
using test::lines_of;
using test::qctl_bench;

namespace {

using words = std::vector<std::string>;

std::string text(std::int64_t id) {
    return std::to_string(id);
}

std::string letters(const qctl_bench& bench) {
    return bench.database.query("SELECT count(*) FROM queue.dead_letter");
}

}  // namespace

TEST_SUITE("qctl dlq") {
    TEST_CASE("list, groups and stats see the same letters") {
        qctl_bench bench;
        const auto first = bench.bury("timeout after 3 s");
        const auto second = bench.bury("timeout after 4 s");
        const auto third =
            bench.bury("refused", {"--tenant", "6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"});

        const auto groups = bench.json({"dlq", "groups"}).as_array();
        const auto stats = bench.json({"dlq", "stats"});
        const auto ids = [&](words filter) {
            filter.insert(filter.begin(), {"dlq", "list", "-o", "id"});
            return bench.run(std::move(filter)).output;
        };

        REQUIRE(groups.size() == 2);
        CHECK(groups[0].at("count") == 2);
        const auto fingerprint = std::string{groups[0].at("fingerprint").as_string()};
        CHECK(stats.at("dead_letters") == 3);
        CHECK(stats.at("groups") == 2);
        CHECK(stats.at("kinds") == 1);
        CHECK(ids({"--fingerprint", fingerprint}) == text(second) + "\n" + text(first) + "\n");
        CHECK(ids({"--error", "refus"}) == text(third) + "\n");
        CHECK(ids({"--tenant", "6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"}) == text(third) + "\n");
        CHECK(ids({"--limit", "1"}) == text(third) + "\n");
        CHECK(ids({"--before", text(second)}) == text(first) + "\n");
        CHECK(ids({"--until", "1h"}).empty());
        CHECK(lines_of(ids({"--since", "1h", "--kind", "a.*", "--queue", "default"})) == 3);
    }

    TEST_CASE("show prints everything, and exits 3 for a job that is not dead") {
        qctl_bench bench;
        const auto dead = bench.bury("boom");
        const auto waiting = bench.enqueue();

        const auto letter = bench.json({"dlq", "show", text(dead)});

        CHECK(letter.at("error") == "boom");
        CHECK(letter.at("attempts").is_array());
        CHECK(bench.error({"dlq", "show", text(waiting)}).first == 3);
    }

    TEST_CASE("replay by id puts jobs back in line once") {
        qctl_bench bench;
        const auto first = bench.bury("boom");
        const auto second = bench.bury("boom");

        CHECK(bench.json({"dlq", "replay", text(first)}).at("replayed") == 1);
        CHECK(bench.state(first) == "ready");
        CHECK(bench.error({"dlq", "replay", text(first)}).first == 3);
        const auto partly = bench.run({"dlq", "replay", text(first), text(second)});
        CHECK(partly.code == 8);
        CHECK(partly.output == "replayed 1 dead letter\n");
        CHECK(contains(partly.errors, "asked for 2 dead letters, replayed 1"));
    }

    TEST_CASE("replay by filter, with limit, rate, edit and target queue") {
        qctl_bench bench;
        bench.database.execute("SELECT queue.create_queue('second')");
        for (int i = 0; i < 5; ++i) {
            static_cast<void>(bench.bury("boom"));
        }

        CHECK(
            bench.json({"dlq", "replay", "--error", "boom", "--limit", "2", "-y"}).at("replayed") ==
            2);
        CHECK(letters(bench) == "3");
        CHECK(bench
                  .json({"dlq", "replay", "--kind", "a.*", "--limit", "1", "-y", "--edit",
                         R"({"fixed": true})", "--to", "second"})
                  .at("replayed") == 1);
        const auto made = bench.json({"jobs", "list", "--queue", "second"}).as_array();
        REQUIRE(made.size() == 1);
        const auto job = bench.json({"jobs", "show", text(made[0].at("id").as_int64())});
        CHECK(job.at("payload").at("fixed") == true);
        CHECK(job.at("meta").at("replay_of").is_int64());
        CHECK(bench.json({"dlq", "replay", "--all", "-y", "--rate", "1/m"}).at("replayed") == 2);
        CHECK(bench.database.query("SELECT count(*) FROM queue.ready WHERE run_at > now() + "
                                   "interval '30 seconds'") == "1");
    }

    TEST_CASE("a dry run lists what would be replayed or discarded and touches nothing") {
        qctl_bench bench;
        static_cast<void>(bench.bury("boom"));
        const auto second = bench.bury("bang");

        const auto plan = bench.run({"dlq", "replay", "--error", "bang", "-n", "-o", "json"});
        const auto all = bench.run({"dlq", "discard", "--all", "--dry-run", "-o", "id"});

        CHECK(plan.code == 0);
        CHECK(boost::json::parse(plan.output).at(0).at("id") == second);
        CHECK(contains(plan.errors, "would replay 1 dead letter"));
        CHECK(lines_of(all.output) == 2);
        CHECK(letters(bench) == "2");
    }

    TEST_CASE("discard deletes for good") {
        qctl_bench bench;
        const auto first = bench.bury("boom");
        static_cast<void>(bench.bury("boom"));
        static_cast<void>(bench.bury("bang"));

        CHECK(bench.json({"dlq", "discard", text(first), "--yes"}).at("discarded") == 1);
        CHECK(bench.json({"dlq", "discard", "--error", "boom", "--yes"}).at("discarded") == 1);
        CHECK(bench.run({"dlq", "discard", "--until", "90d", "--yes"}).output ==
              "discarded 0 dead letters\n");
        CHECK(bench.json({"dlq", "discard", "--all", "--confirm", "all"}).at("discarded") == 1);
        CHECK(letters(bench) == "0");
    }

    TEST_CASE("export writes every letter, page after page") {
        qctl_bench bench;
        bench.database.execute(
            "INSERT INTO queue.dead_letter (job_id, died_at, created_at, queue, kind, priority, "
            "max_attempts, attempt, reason, error, fingerprint, payload, attempts) "
            "SELECT n, now(), now(), 'default', 'a.b', 5, 4, 4, 'attempts used up', 'e' || n, 'f', "
            "jsonb_build_object('n', n), '[]' FROM generate_series(1, 2500) n");

        const auto lines = bench.run({"dlq", "export"});
        const auto array = bench.run({"dlq", "export", "-o", "json"});
        const auto csv = bench.run({"dlq", "export", "-o", "csv", "--limit", "1200"});

        CHECK(lines_of(lines.output) == 2500);
        CHECK(boost::json::parse(lines.output.substr(0, lines.output.find('\n')))
                  .at("payload")
                  .at("n") == 2500);
        CHECK(boost::json::parse(array.output).as_array().size() == 2500);
        CHECK(lines_of(csv.output) == 1201);
    }
}
