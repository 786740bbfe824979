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
constexpr int kills = 3;

/// The latest slot anyone has fired, and how many have.
class progress {
   public:
    std::string slot;
    int fired{0};
};

progress latest(test::connection& on, const std::string& after) {
    const auto row = on.rows(
        "SELECT last_slot, count(*) FROM queue.schedule "
        "WHERE last_slot > $1::timestamptz "
        "GROUP BY last_slot ORDER BY last_slot DESC LIMIT 1",
        {after});
    return row.empty() ? progress{}
                       : progress{row.at(0).at(0).value(), std::stoi(row.at(0).at(1).value())};
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
            progress seen;
            const auto fired = [&](int wanted) {
                return test::wait_until(
                    [&] {
                        seen = latest(on, slot);
                        return seen.fired >= wanted;
                    },
                    test::scaled(60s));
            };
            REQUIRE(fired(schedules / 20));
            workers.crash(static_cast<std::size_t>(kill % 2));
            MESSAGE("killed when " << seen.fired << " of " << schedules << " had fired");
            CHECK(seen.fired < schedules);
            REQUIRE(fired(schedules));
            slot = seen.slot;
        }
        // What is due meanwhile fires for some and not for others: the slots up to here count.
        on.execute("UPDATE queue.schedule SET paused_at = now(), next_at = NULL");

        MESSAGE(on.query("SELECT count(*) FROM queue.job")
                << " jobs, latest firing "
                << on.query("SELECT max(at - slot) FROM queue.schedule_run") << " late");
        // None missed: of every schedule all slots from the first after it was made, without a gap.
        const std::string by_schedule =
            "FROM (SELECT s.created_at, count(*) AS jobs, min(j.slot) AS first, max(j.slot) AS "
            "last "
            "FROM queue.schedule s JOIN (SELECT meta->>'schedule' AS name, "
            "(meta->>'slot')::timestamptz AS slot FROM queue.job) j USING (name) "
            "WHERE j.slot <= $1::timestamptz GROUP BY s.id) x ";
        CHECK(on.query("SELECT count(*) " + by_schedule, {slot}) == std::to_string(schedules));
        CHECK(on.query("SELECT count(*) " + by_schedule +
                           "WHERE last <> $1::timestamptz OR first - created_at > '21 s' "
                           "OR jobs <> extract(epoch FROM last - first) / 20 + 1",
                       {slot}) == "0");
        CHECK(on.query("SELECT min(jobs) >= 3 " + by_schedule, {slot}) == "t");
        // None doubled.
        CHECK(on.query("SELECT count(*) - count(DISTINCT (meta->>'schedule', meta->>'slot')) "
                       "FROM queue.job") == "0");
        CHECK(on.query("SELECT count(*) FROM queue.schedule_run WHERE outcome <> 'fired'") == "0");
        CHECK(on.query("SELECT count(*) FROM queue.schedule_run") ==
              on.query("SELECT count(*) FROM queue.job"));
        CHECK(workers.stop());
    }
}
