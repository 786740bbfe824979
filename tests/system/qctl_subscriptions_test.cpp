#include "system/qctl_bench.hpp"

using test::contains;
using test::qctl_bench;

TEST_SUITE("qctl topics") {
    TEST_CASE("subscribe, list, publish, unsubscribe") {
        const qctl_bench bench;
        CHECK(bench
                  .json({"topics", "subscribe", "orders.*", "mail", "--filter", "$.total > 100",
                         "--delay", "5s", "--priority", "2"})
                  .at("result") == "set");
        const auto list = bench.json({"topics", "list", "--kind", "ma*"});
        REQUIRE(list.as_array().size() == 1);
        CHECK(list.at(0).at("pattern") == "orders.*");
        CHECK(list.at(0).at("delay_ms") == 5000);
        CHECK(list.at(0).at("priority") == 2);

        CHECK(bench.json({"topics", "publish", "orders.created", R"({"total":120})", "-n"})
                  .as_array()
                  .size() == 1);
        CHECK(bench.jobs() == 0);
        CHECK(bench.json({"topics", "publish", "orders.created", R"({"total":120})"}).at("jobs") ==
              1);
        CHECK(bench.json({"topics", "publish", "orders.created", R"({"total":1})"}).at("jobs") ==
              0);
        CHECK(bench.jobs() == 1);

        CHECK(bench.code({"topics", "unsubscribe", "orders.*", "mail"}) == 2);  // Nobody to ask.
        CHECK(bench.json({"topics", "unsubscribe", "orders.*", "mail", "-y"}).at("result") ==
              "removed");
        CHECK(bench.error({"topics", "unsubscribe", "orders.*", "mail", "-y"}).first == 3);
    }

    TEST_CASE("unrouted: what nobody heard is listed, and forgotten when asked") {
        const qctl_bench bench;
        CHECK(bench.json({"topics", "publish", "misspelt", R"({"n":1})"}).at("jobs") == 0);
        const auto rows = bench.json({"topics", "unrouted", "--forget"});
        REQUIRE(rows.as_array().size() == 1);
        CHECK(rows.at(0).at("topic") == "misspelt");
        CHECK(rows.at(0).at("sample").at("n") == 1);
        CHECK(bench.json({"topics", "unrouted"}).as_array().empty());
    }

    TEST_CASE("what cannot be: exit 2 and the argument named") {
        const qctl_bench bench;
        const auto bad = bench.error({"topics", "publish", "a..b"});
        CHECK(bad.first == 2);
        CHECK(contains(std::string{bad.second.at("message").as_string()}, "topic: expected words"));
        CHECK(bench.error({"topics", "publish", "a.*", "-n"}).first == 2);
        CHECK(bench.error({"topics", "subscribe", "a", "k", "--filter", "$.x"}).first == 2);
        CHECK(bench.error({"topics", "publish", "a", "{"}).first == 2);
    }
}
