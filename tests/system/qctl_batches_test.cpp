#include "system/qctl_bench.hpp"

using test::contains;
using test::qctl_bench;

TEST_SUITE("qctl batches") {
    TEST_CASE("create, enqueue, seal, show and list agree") {
        const qctl_bench bench;
        CHECK(bench
                  .run({"batches", "create", "campaign.spring", R"({"x":1})", "--on-finish",
                        "report"})
                  .output == "1\n");
        CHECK(bench.run({"enqueue", "a.b", "{}", "--batch", "1"}).code == 0);
        CHECK(bench.json({"batches", "seal", "1"}).at("result") == "sealed");
        CHECK(bench.error({"batches", "seal", "1"}).first == 5);
        CHECK(bench.error({"enqueue", "a.b", "{}", "--batch", "1"}).first == 5);

        const auto one = bench.json({"batches", "show", "1"});
        const auto list = bench.json({"batches", "list", "--name", "campaign.*", "--unfinished"});
        REQUIRE(list.as_array().size() == 1);
        CHECK(list.at(0) == one);
        CHECK(one.at("state") == "PENDING");
        CHECK(one.at("total") == 1);
        CHECK(one.at("on_finish") == "report");
        CHECK(one.at("payload").at("x") == 1);
    }

    TEST_CASE("cancel asks, items show what became of them, wait tells how it ended") {
        const qctl_bench bench;
        CHECK(bench.run({"batches", "create"}).code == 0);
        CHECK(bench.run({"enqueue", "a.b", "{}", "--batch", "1"}).code == 0);
        CHECK(bench.error({"batches", "wait", "1", "--timeout", "10ms"}).first == 7);

        CHECK(bench.code({"batches", "cancel", "1"}) == 2);  // Nobody to ask.
        CHECK(bench.json({"batches", "cancel", "1", "-n", "-y"}).at("result") ==
              "would be cancelled");
        const auto done = bench.json({"batches", "cancel", "1", "--reason", "enough", "-y"});
        CHECK(done.at("cancelled") == 1);
        CHECK(done.at("finished") == true);
        const auto items = bench.json({"batches", "items", "1", "--state", "cancelled"});
        REQUIRE(items.as_array().size() == 1);
        CHECK(items.at(0).at("error") == "enough");

        bench.database.execute("SELECT queue.fold_batches()");
        CHECK(bench.error({"batches", "wait", "1"}).first == 1);
        CHECK(bench.error({"batches", "cancel", "1", "-y"}).first == 5);
        CHECK(bench.run({"batches", "create"}).code == 0);
        CHECK(bench.run({"batches", "seal", "2"}).code == 0);
        bench.database.execute("SELECT queue.fold_batches()");
        CHECK(bench.json({"batches", "wait", "2"}).at("state") == "COMPLETED");
    }

    TEST_CASE("what cannot be: the exit code and the argument") {
        const qctl_bench bench;
        for (const std::string verb : {"show", "seal", "items", "wait"}) {
            CHECK(bench.error({"batches", verb, "7"}).first == 3);
        }
        CHECK(bench.error({"batches", "cancel", "7", "-y"}).first == 3);
        CHECK(bench.error({"batches", "show", "x"}).first == 2);
        CHECK(bench.error({"batches", "items", "7", "--state", "dead,ready"}).first == 2);
        const auto bad = bench.error({"batches", "create", "--on-finish", "No"});
        CHECK(bad.first == 2);
        CHECK(contains(std::string{bad.second.at("message").as_string()},
                       "on_finish: expected a kind"));
        CHECK(bench.json({"batches", "list"}).as_array().empty());
    }
}
