#include "support/claim_times.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

// Limits over real processes. LIBQUEUE_LIMIT_SECONDS makes the measured stretch longer.

using std::chrono_literals::operator""s;

namespace {

int seconds_wanted() {
    const char* const given = std::getenv("LIBQUEUE_LIMIT_SECONDS");
    return given != nullptr ? std::stoi(given) : 4;
}

class processes {
   public:
    processes(const test::test_database& db, std::string limits)
        : dsn_{db.dsn()}, limits_{std::move(limits)} {}

    test::process& start(const std::string& name) {
        const auto config =
            folder_.write(name + ".yaml", "database: {dsn: \"" + dsn_ +
                                              "\"}\n"
                                              "queues: {default: {concurrency: 50}}\n"
                                              "processors: {debug: true}\n"
                                              "http: {enabled: false}\n"
                                              "limits: {" +
                                              limits_ +
                                              "}\n"
                                              "kinds: {debug.noop: {limit: provider}, "
                                              "debug.sleep: {limit: provider}}\n"
                                              "worker: {name: " +
                                              name +
                                              ", heartbeat: 200ms, lease: 1s, "
                                              "poll_interval: 500ms}\n");
        started_.push_back(std::make_unique<test::process>(
            test::process_options{test::binary("workerd"), {"--config", config.string()}}));
        return *started_.back();
    }

   private:
    std::string dsn_;
    std::string limits_;
    test::temp_dir folder_;
    std::vector<std::unique_ptr<test::process>> started_;
};

}  // namespace

TEST_SUITE("limits over processes") {
    TEST_CASE("eight processes never go over burst + rate * t, and leave little of it unused") {
        const test::test_database db;
        const test::claim_times claims{db};
        const int seconds = seconds_wanted();
        const int wanted = 40 + 200 * seconds;
        db.execute(
            "SELECT count(*) FROM queue.enqueue_many('debug.noop', ARRAY(SELECT '{}'::jsonb "
            "FROM generate_series(1, " +
            std::to_string(2 * wanted) + ")))");
        processes fleet{db, "provider: {burst: 40, rate: 200/s}"};
        std::vector<test::process*> members;
        for (int n = 0; n < 8; ++n) {
            members.push_back(&fleet.start("w" + std::to_string(n)));
        }
        for (auto* const one : members) {
            REQUIRE(one->wait_for_text("worker_ready", 20s));
        }

        REQUIRE(test::wait_until([&] { return claims.jobs() >= wanted; },
                                 std::chrono::seconds{3 * seconds + 10}));
        const double took = claims.seconds_to(wanted);
        for (auto* const one : members) {
            one->kill();
        }

        MESSAGE(wanted << " jobs in " << took << " s; at worst over by "
                       << claims.overshoot(40, 200) << " jobs");
        CHECK(claims.overshoot(40, 200) <= 0.01);
        // In a few seconds eight processes start, too, on a machine that may have other work.
        const double share = seconds >= 30 ? 0.97 : 0.9;
        CHECK(wanted >= share * (40 + 200 * took));
        // All of them took part.
        CHECK(db.query("SELECT count(DISTINCT worker_id) FROM queue.attempt "
                       "WHERE outcome = 'completed'") == "8");
    }

    TEST_CASE("slots held by a killed process are free when it is declared dead") {
        const test::test_database db;
        processes fleet{db, "provider: {concurrency: 2}"};
        auto& first = fleet.start("first");
        db.execute(
            "SELECT count(*) FROM queue.enqueue_many('debug.sleep', "
            "ARRAY['{\"ms\": 60000}', '{\"ms\": 60000}']::jsonb[])");
        REQUIRE(test::wait_until(
            [&] { return db.query("SELECT running FROM queue.limit_status") == "2"; }));
        auto& second = fleet.start("second");
        REQUIRE(second.wait_for_text("worker_ready"));
        const std::string waiting = db.query(
            "SELECT queue.enqueue('debug.noop', '{}', "
            "priority => 1)");
        const auto state = [&] {
            return db.query("SELECT state FROM queue.jobs WHERE id = $1", {waiting});
        };
        REQUIRE(test::wait_until(
            [&] { return db.query("SELECT wanted_until > now() FROM queue.limit_rule") == "t"; }));
        CHECK(state() == "ready");
        CHECK(db.query("SELECT detail FROM queue.explain($1)", {waiting}) ==
              "limit provider: 2 of 2 running");

        first.kill();

        CHECK(test::wait_until([&] { return state() == "completed"; }));
        // Its jobs run again, one at a time now, under the same limit.
        CHECK(test::wait_until(
            [&] { return db.query("SELECT running FROM queue.limit_status") == "1"; }));
    }
}
