// Ten thousand schedules due at the same instant, and the processes that fire them killed in the
// middle of it: each (schedule, slot) becomes one job, none is missed.

#include "faults_fleet.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;

namespace {

constexpr int schedules = 10'000;
constexpr int slot_seconds = 20;
constexpr int kills = 3;

/// How many schedules are past the latest slot anyone has fired.
int fired_of_latest(test::connection& on, const std::string& after) {
    return std::stoi(
        on.query("SELECT count(*) FROM queue.schedule WHERE last_slot = (SELECT max(last_slot) "
                 "FROM queue.schedule WHERE last_slot > $1::timestamptz)",
                 {after}));
}

std::string latest_slot(test::connection& on) {
    return on.query("SELECT coalesce(max(last_slot), '-infinity') FROM queue.schedule");
}

}  // namespace

TEST_SUITE("schedules under kills") {
    TEST_CASE("10,000 schedules of one instant fire once each through three kills") {
        const test::test_database db;
        test::connection on{db.dsn()};
        faults::fleet workers{db.dsn()};
        workers.grow(2);
        REQUIRE(workers.wait_ready());
        on.execute(
            "SELECT count(queue.schedule('s' || n, '*/20 * * * * *', 'debug.noop', "
            "timezone => 'Europe/Berlin')) FROM generate_series(1, 10000) n");

        std::string slot = "-infinity";
        for (int kill = 0; kill < kills; ++kill) {
            CAPTURE(kill);
            int seen = 0;
            REQUIRE(test::wait_until(
                [&] {
                    seen = fired_of_latest(on, slot);
                    return seen >= schedules / 20;
                },
                test::scaled(60s)));
            workers.crash(static_cast<std::size_t>(kill % 2));
            MESSAGE("killed when " << seen << " of " << schedules << " had fired");
            CHECK(seen < schedules);
            REQUIRE(test::wait_until([&] { return fired_of_latest(on, slot) == schedules; },
                                     test::scaled(60s)));
            slot = latest_slot(on);
        }
        on.execute("SELECT count(queue.pause_schedule(name)) FROM queue.schedules");
        REQUIRE(
            test::wait_until([&] { return on.query("SELECT count(*) FROM queue.ready") == "0"; },
                             test::scaled(120s)));

        const auto facts =
            on.rows(
                  "SELECT count(*), count(DISTINCT (meta->>'schedule', meta->>'slot')), "
                  "count(DISTINCT meta->>'slot'), extract(epoch FROM "
                  "max((meta->>'slot')::timestamptz) - min((meta->>'slot')::timestamptz))::int "
                  "FROM queue.job")
                .at(0);
        const int slots = std::stoi(facts.at(2).value());
        MESSAGE(slots << " slots, " << facts.at(0).value() << " jobs, latest firing "
                      << on.query("SELECT max(at - slot) FROM queue.schedule_run") << " late");
        CHECK(slots >= kills);
        // None doubled, none missed: so many slots, without a gap, of every schedule.
        CHECK(facts.at(0) == facts.at(1));
        CHECK(std::stoi(facts.at(0).value()) == slots * schedules);
        CHECK(std::stoi(facts.at(3).value()) == (slots - 1) * slot_seconds);
        CHECK(on.query("SELECT count(*) FROM queue.schedule_run WHERE outcome <> 'fired'") == "0");
        CHECK(on.query("SELECT count(*) FROM queue.schedule_run") == facts.at(0));
        CHECK(workers.stop());
    }
}
