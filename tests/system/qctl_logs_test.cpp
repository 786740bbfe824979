#include "system/qctl_bench.hpp"

using test::contains;
using test::qctl_bench;

namespace {

/// A running job, and the lease it runs under.
std::pair<std::string, std::string> start(qctl_bench& bench) {
    const auto id = bench.enqueue();
    std::string lease = bench.worker.claim(id);
    return {std::to_string(id), std::move(lease)};
}

void end(qctl_bench& bench, const std::string& id, const std::string& lease,
         const std::string& outcome) {
    bench.database.execute(
        "WITH gone AS (DELETE FROM queue.lease WHERE id = $2 RETURNING id) "
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt) "
        "SELECT $1, g.id, now(), now(), $3::queue.attempt_outcome, 1 FROM gone g",
        {id, lease, outcome});
}

}  // namespace

TEST_SUITE("qctl logs") {
    TEST_CASE("logs: what the runs said, by attempt, the last so many") {
        qctl_bench bench;
        const auto [id, lease] = start(bench);
        for (const std::string text : {"one", "two\x1b[31m", "three"}) {
            bench.database.execute("SELECT queue.log($1, $2, $3, 'warning')", {id, lease, text});
        }

        const auto all = bench.json({"jobs", "logs", id});
        const auto two = bench.json({"jobs", "logs", id, "--tail", "2", "--attempt", "1"});
        const auto none = bench.json({"jobs", "logs", id, "--attempt", "2"});
        const auto text = bench.run({"jobs", "logs", id});

        REQUIRE(all.as_array().size() == 3);
        CHECK(all.at(0).at("message") == "one");
        CHECK(all.at(0).at("level") == "warning");
        CHECK(all.at(0).at("attempt") == 1);
        REQUIRE(two.as_array().size() == 2);
        CHECK(two.at(1).at("message") == "three");
        CHECK(none.as_array().empty());
        CHECK(contains(text.output, "  warning   two\\x1b[31m\n"));
        CHECK(bench.error({"jobs", "logs", "99"}).first == 3);
    }

    TEST_CASE("logs -f: goes on until the job ends, with its progress, and exits as wait does") {
        qctl_bench bench;
        const auto [id, lease] = start(bench);
        bench.database.execute("SELECT queue.log($1, $2, 'before')", {id, lease});
        test::process following{bench.command({"jobs", "logs", id, "-f"})};
        REQUIRE(test::wait_until([&] { return contains(following.output(), "before"); }));

        bench.database.execute("SELECT queue.log($1, $2, 'meanwhile')", {id, lease});
        bench.database.execute(
            "INSERT INTO queue.progress (job_id, updated_at, fraction, message) "
            "VALUES ($1, now(), 0.5, 'half')",
            {id});
        REQUIRE(test::wait_until([&] {
            return contains(following.output(), "meanwhile") &&
                   contains(following.output(), "progress  50% half");
        }));
        end(bench, id, lease, "completed");

        const auto status = following.wait();
        REQUIRE(status.has_value());
        CHECK(status->code == 0);
        CHECK(bench.code({"jobs", "logs", id, "-f"}) == 0);

        const auto dead = std::to_string(bench.bury("no"));
        CHECK(bench.error({"jobs", "logs", dead, "-f"}).first == 1);
        const auto waiting = std::to_string(bench.enqueue());
        CHECK(bench.error({"jobs", "logs", waiting, "-f", "--timeout", "10ms"}).first == 7);
    }

    TEST_CASE("effects and resolve: what is open, and a person's word about it") {
        qctl_bench bench;
        const auto [id, lease] = start(bench);
        bench.database.execute("SELECT queue.effect_begin($1, $2, 'charge')", {id, lease});

        const auto open = bench.json({"jobs", "effects", id});
        CHECK(open.at(0).at("state") == "begun");
        CHECK(open.at(0).at("key").as_string() == "job:" + id + ":charge");
        CHECK(bench.error({"jobs", "resolve", id, "charge", "happened"}).first == 5);  // It runs.

        end(bench, id, lease, "discarded");
        CHECK(bench.error({"jobs", "resolve", id, "charge", "perhaps"}).first == 2);
        CHECK(bench.error({"jobs", "resolve", id, "refund", "happened"}).first == 3);
        CHECK(bench.error({"jobs", "resolve", id, "charge", "happened", "--result", "{"}).first ==
              2);
        CHECK(bench.json({"jobs", "resolve", id, "charge", "happened", "-n"}).at("state") ==
              "would be committed");
        CHECK(bench.json({"jobs", "effects", id}).at(0).at("state") == "begun");
        CHECK(bench.json({"jobs", "resolve", id, "charge", "happened", "--result", "{\"a\": 1}"})
                  .at("state") == "committed");
        CHECK(bench.json({"jobs", "effects", id}).at(0).at("result").at("a") == 1);
        CHECK(bench.error({"jobs", "resolve", id, "charge", "not-happened"}).first == 5);
    }
}
