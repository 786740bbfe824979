#include "system/qctl_bench.hpp"

using test::contains;
using test::lines_of;
using test::qctl_bench;

TEST_SUITE("qctl schedules") {
    TEST_CASE("set, list, show and next agree") {
        const qctl_bench bench;
        const auto set = bench.json({"schedules", "set", "reports.daily", "30 2 * * *", "a.b",
                                     R"({"x":1})", "--tz", "europe/berlin", "--misfire",
                                     "backfill(3)", "--no-overlap", "--priority", "2"});
        const auto next = bench.json({"schedules", "next", "reports.daily", "--count", "3"});
        const auto list = bench.json({"schedules", "list", "--name", "reports.*"});
        const auto one = bench.json({"schedules", "show", "reports.daily"});

        CHECK(set.at("result") == "set");
        REQUIRE(next.as_array().size() == 3);
        CHECK(next.at(0).at("at") == set.at("next"));
        REQUIRE(list.as_array().size() == 1);
        CHECK(list.at(0) == one);
        CHECK(one.at("timezone") == "Europe/Berlin");
        CHECK(one.at("misfire") == "backfill(3)");
        CHECK(one.at("overlap") == "forbid");
        CHECK(one.at("priority") == 2);
        CHECK(one.at("payload").at("x") == 1);
        CHECK(bench.json({"schedules", "list", "--kind", "other.*"}).as_array().empty());
    }

    TEST_CASE("an expression can be looked at before there is a schedule") {
        const qctl_bench bench;
        CHECK(bench.json({"schedules", "next", "--cron", "0 9 LW * ?", "--tz", "Asia/Tokyo"})
                  .as_array()
                  .size() == 5);
        CHECK(bench.error({"schedules", "next"}).first == 2);
        CHECK(bench.error({"schedules", "next", "x", "--cron", "@daily"}).first == 2);
        const auto tokyo = bench.run({"schedules", "next", "--cron", "0 9 LW * ?", "--tz",
                                      "asia/tokyo", "--count", "1", "--no-headers"});
        CHECK(contains(tokyo.output, "T09:00:00.000000+09:00"));
    }

    TEST_CASE("what cannot be: exit 2, the argument named, nothing made, also with -n") {
        const qctl_bench bench;
        for (const std::string dry : {"--quiet", "-n"}) {
            const auto never = bench.error({"schedules", "set", "s", "0 0 30 2 *", "a.b", dry});
            CHECK(never.first == 2);
            CHECK(contains(std::string{never.second.at("message").as_string()},
                           "cron: day of month: expected a day that occurs in month 2"));
            const auto nowhere =
                bench.error({"schedules", "set", "s", "@daily", "a.b", "--tz", "Mars/Base", dry});
            CHECK(nowhere.first == 2);
            CHECK(std::string{nowhere.second.at("message").as_string()} ==
                  "--tz: expected a time zone of this machine's tzdata, such as Europe/Berlin or "
                  "UTC, got 'Mars/Base'");
        }
        CHECK(bench.error({"schedules", "set", "s", "@daily", "a.b", "--misfire", "late"}).first ==
              2);
        CHECK(bench.error({"schedules", "set", "s", "@daily", "a.b", "{"}).first == 2);
        CHECK(bench.json({"schedules", "list"}).as_array().empty());
    }

    TEST_CASE("run, pause, resume and remove") {
        const qctl_bench bench;
        bench.database.execute("SELECT queue.schedule('s', '@daily', 'a.b', overlap => 'forbid')");

        CHECK(bench.run({"schedules", "run", "s"}).output == "1\n");
        const auto busy = bench.error({"schedules", "run", "s"});
        CHECK(busy.first == 5);
        CHECK(contains(std::string{busy.second.at("message").as_string()}, "job 1"));

        CHECK(bench.code({"schedules", "pause", "s"}) == 2);  // Nobody to ask.
        CHECK(bench.json({"schedules", "pause", "s", "-y"}).at("result") == "paused");
        CHECK(bench.json({"schedules", "show", "s"}).at("next_at").is_null());
        CHECK(bench.json({"schedules", "resume", "s", "-n"}).at("result") == "would be resumed");
        CHECK(bench.json({"schedules", "show", "s"}).at("paused") == true);
        CHECK(bench.json({"schedules", "resume", "s"}).at("result") == "resumed");

        const auto shown = bench.json({"schedules", "show", "s", "--runs", "5"});
        REQUIRE(shown.at("history").as_array().size() == 1);
        CHECK(shown.at("history").at(0).at("outcome") == "manual");

        CHECK(bench.json({"schedules", "remove", "s", "-y"}).at("result") == "removed");
        for (const std::string verb : {"show", "run", "resume", "next"}) {
            CHECK(bench.error({"schedules", verb, "s"}).first == 3);
        }
        CHECK(bench.error({"schedules", "remove", "s", "-y"}).first == 3);
        CHECK(bench.jobs() == 1);
    }

    TEST_CASE("the doctor names schedules that fail, are overdue or are paused") {
        const qctl_bench bench;
        bench.database.execute(
            "SELECT queue.schedule(n, '@daily', 'a.b') FROM unnest('{bad,late,paused}'::text[]) n");
        bench.database.execute(
            "UPDATE queue.schedule SET error = 'boom' WHERE name = 'bad';"
            "UPDATE queue.schedule SET next_at = now() - interval '1 h' WHERE name = 'late';"
            "SELECT queue.pause_schedule('paused')");

        const auto text = bench.run({"doctor"}).output;

        CHECK(contains(text, "error: schedules: schedule bad did not fire: boom"));
        CHECK(contains(text, "error: schedules: 1 schedules are overdue, the first since"));
        CHECK(contains(text, "note: schedules: 1 schedules are paused"));
        CHECK(contains(text, "cure: qctl schedules show bad --runs 5"));
    }

    TEST_CASE("schedules of a tenant are its own") {
        const qctl_bench bench;
        const std::string tenant{"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"};
        CHECK(bench.json({"schedules", "set", "s", "@daily", "a.b", "--tenant", tenant})
                  .at("result") == "set");
        CHECK(bench.error({"schedules", "show", "s"}).first == 3);
        CHECK(bench.json({"schedules", "show", "s", "--tenant", tenant}).at("tenant_id") ==
              boost::json::value(tenant));
        CHECK(bench.json({"schedules", "list", "--tenant", tenant}).as_array().size() == 1);
        CHECK(bench.run({"schedules", "run", "s", "--tenant", tenant}).code == 0);
        CHECK(bench.database.query("SELECT tenant_id FROM queue.job") == tenant);
    }
}
