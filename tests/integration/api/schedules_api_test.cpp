#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/schedules.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::new_schedule;
using libqueue::schedules;

// What a schedule does is tested with the engine; here, that the C++ API says it and hears it.

namespace {

class bench {
   public:
    test::test_database db;
    client on{client_options{db.dsn()}};
    schedules all{on};
};

std::string cell(const libqueue::report& in, std::string_view name) {
    const auto found = std::find_if(in.columns.begin(), in.columns.end(),
                                    [&](const libqueue::column& one) { return one.name == name; });
    REQUIRE_MESSAGE(found != in.columns.end(), name);
    return in.rows.at(0).at(static_cast<std::size_t>(found - in.columns.begin())).value_or("");
}

const std::string tenant{"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"};

TEST_SUITE("schedules API") {
    TEST_CASE("set: every field arrives") {
        bench t;
        new_schedule wanted{"reports/daily", "30 2 * * *", "report.build", R"({"a": 1})"};
        wanted.in_zone("Europe/Berlin").in_queue("default").for_tenant(tenant).backfill(7);
        wanted.without_overlap();
        wanted.priority = -3;
        wanted.max_attempts = 9;
        wanted.misfire_grace = std::chrono::minutes{5};
        wanted.meta = R"({"m": 2})";

        const auto id = t.all.set(wanted);
        REQUIRE(id.has_value());
        CHECK(t.all.set(wanted).value() == id.value());

        const auto one = t.all.show("reports/daily", tenant).value();
        CHECK(cell(one, "id") == std::to_string(*id));
        CHECK(cell(one, "cron") == "30 2 * * *");
        CHECK(cell(one, "timezone") == "Europe/Berlin");
        CHECK(cell(one, "kind") == "report.build");
        CHECK(cell(one, "queue") == "default");
        CHECK(cell(one, "priority") == "-3");
        CHECK(cell(one, "max_attempts") == "9");
        CHECK(cell(one, "misfire") == "backfill(7)");
        CHECK(cell(one, "misfire_grace_ms") == "300000");
        CHECK(cell(one, "overlap") == "forbid");
        CHECK(cell(one, "payload") == R"({"a": 1})");
        CHECK(cell(one, "meta") == R"({"m": 2})");
        CHECK(cell(one, "tenant_id") == tenant);
    }

    TEST_CASE("pause, resume, run_now, next, remove") {
        bench t;
        REQUIRE(t.all.set(new_schedule{"s", "@hourly", "tick"}).has_value());

        CHECK(t.all.pause("s").has_value());
        CHECK(cell(t.all.show("s").value(), "paused") == "t");
        CHECK(t.all.resume("s").has_value());
        CHECK(cell(t.all.show("s").value(), "paused") == "f");

        const auto id = t.all.run_now("s").value();
        CHECK(t.on.get(id).value().kind == "tick");
        const auto runs = t.all.runs("s", 10);
        REQUIRE(runs.rows.size() == 1);
        CHECK(cell(runs, "outcome") == "manual");
        CHECK(cell(runs, "job_id") == std::to_string(id));

        const auto next = t.all.next("s", 3).value();
        REQUIRE(next.size() == 3);
        CHECK(next[1] - next[0] == std::chrono::hours{1});
        CHECK(next[0].time_since_epoch() % std::chrono::hours{1} == std::chrono::seconds{0});

        CHECK(t.all.remove("s").value());
        CHECK_FALSE(t.all.remove("s").value());
    }

    TEST_CASE("preview: the slots an expression names") {
        bench t;
        CHECK(t.all.preview("0 0 29 2 *", "UTC", 2).value().size() == 2);
        CHECK(t.all.preview("0 0 30 2 *", "UTC", 2).error().code == errc::invalid_argument);
        CHECK(t.all.preview("@daily", "Nowhere", 2).error().code == errc::invalid_argument);
        CHECK(t.all.preview("@daily", "UTC", 0).error().code == errc::invalid_argument);
        CHECK(t.all.preview("@daily", "UTC", 1001).error().code == errc::invalid_argument);
    }

    TEST_CASE("list: pages in the order they were made, by name, kind and tenant") {
        bench t;
        for (const std::string name : {"a.1", "a.2", "b.1"}) {
            REQUIRE(t.all.set(new_schedule{name, "@daily", "k." + name}).has_value());
        }
        new_schedule other{"a.1", "@daily", "k"};
        other.for_tenant(tenant);
        REQUIRE(t.all.set(other).has_value());

        libqueue::schedule_filter filter;
        filter.limit = 2;
        const auto first = t.all.list(filter);
        CHECK(first.rows.size() == 2);
        REQUIRE(first.next.has_value());
        filter.after = first.next;
        CHECK(t.all.list(filter).rows.size() == 2);

        libqueue::schedule_filter by_name;
        by_name.name = "a.*";
        CHECK(t.all.list(by_name).rows.size() == 3);
        by_name.kind = "k.a.*";
        CHECK(t.all.list(by_name).rows.size() == 2);
        libqueue::schedule_filter by_tenant;
        by_tenant.tenant_id = tenant;
        CHECK(t.all.list(by_tenant).rows.size() == 1);
    }

    TEST_CASE("bad input is a result that names the argument, and the connection stays fit") {
        bench t;
        const auto refusal = [&](const auto& change) {
            new_schedule wanted{"s", "@daily", "k"};
            change(wanted);
            const auto said = t.all.set(wanted);
            return said.has_error() ? said.error().message : std::string{"accepted"};
        };
        const auto says = [&](const char* start, const auto& change) {
            const auto said = refusal(change);
            CHECK_MESSAGE(said.find(start) == 0, said);
        };
        says("name: expected 1 to 128", [](new_schedule& s) { s.name = ""; });
        says("name: expected 1 to 128", [](new_schedule& s) { s.name = std::string(200, 'n'); });
        says("name: expected UTF-8", [](new_schedule& s) { s.name = std::string("a\0b", 3); });
        says("cron: hour: expected", [](new_schedule& s) { s.cron = "0 99 * * *"; });
        says("cron: expected UTF-8", [](new_schedule& s) { s.cron = "\xFF"; });
        says("kind: expected", [](new_schedule& s) { s.kind = "No"; });
        says("timezone: expected", [](new_schedule& s) { s.timezone = "CEST"; });
        says("payload: ", [](new_schedule& s) { s.payload = "{"; });
        says("meta: ", [](new_schedule& s) { s.meta = "[]"; });
        says("tenant_id: expected a UUID", [](new_schedule& s) { s.tenant_id = "x"; });
        says("misfire: expected", [](new_schedule& s) { s.backfill(0); });
        says("misfire_grace: expected",
             [](new_schedule& s) { s.misfire_grace = std::chrono::hours{2}; });
        says("priority: expected", [](new_schedule& s) { s.priority = 100'000; });
        says("max_attempts: expected", [](new_schedule& s) { s.max_attempts = 0; });
        says("unknown queue", [](new_schedule& s) { s.queue = "none"; });
        CHECK(t.all.list().rows.empty());

        CHECK(t.all.pause("none").error().code == errc::not_found);
        CHECK(t.all.resume("none").error().code == errc::not_found);
        CHECK(t.all.run_now("none").error().code == errc::not_found);
        CHECK(t.all.next("none", 1).error().code == errc::not_found);
        CHECK(t.all.show("none").error().code == errc::not_found);
        CHECK(t.all.runs("none", 1).rows.empty());

        new_schedule busy{"busy", "@daily", "k"};
        REQUIRE(t.all.set(busy.without_overlap()).has_value());
        REQUIRE(t.all.run_now("busy").has_value());
        CHECK(t.all.run_now("busy").error().code == errc::conflict);
    }

    TEST_CASE("the names of the policies read back") {
        for (const auto policy :
             {libqueue::misfire::skip, libqueue::misfire::collapse, libqueue::misfire::backfill}) {
            CHECK(libqueue::parse_misfire(to_string(policy)) == policy);
        }
        for (const auto policy : {libqueue::overlap::allow, libqueue::overlap::forbid}) {
            CHECK(libqueue::parse_overlap(to_string(policy)) == policy);
        }
        CHECK_FALSE(libqueue::parse_misfire("").has_value());
        CHECK_FALSE(libqueue::parse_overlap("ALLOW").has_value());
    }
}

}  // namespace
