#include "campaign.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"

#include <libqueue/failpoints.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// The boundaries a working process passes often.
std::string draw_failpoint(std::mt19937_64& random) {
    std::vector<std::string_view> names;
    for (const std::string_view name : libqueue::failpoint_names()) {
        if (!name.starts_with("enqueue.") && !name.starts_with("return.") &&
            !name.starts_with("leave.") && !name.starts_with("register.")) {
            names.push_back(name);
        }
    }
    const std::string_view name = names[random() % names.size()];
    // Rescues are few, jobs many.
    const auto most = name.starts_with("rescue.") ? 2U
                      : name.starts_with("run.")  ? 400U
                      : name.starts_with("dead")  ? 5U
                      : name.starts_with("heart") ? 4U
                                                  : 60U;
    return std::string{name} + "=kill@" + std::to_string(1 + random() % most);
}

}  // namespace

TEST_SUITE("faults: SIGKILL") {
    TEST_CASE("faults: workers and producers killed at any instant and at every boundary") {
        const std::size_t kills = faults::times(150, 3'000);
        const std::size_t jobs = faults::times(25'000, 500'000);
        std::mt19937_64 random{faults::seed()};
        const test::test_database db;
        faults::trial t{db.dsn()};
        t.workers.grow(3);
        REQUIRE(t.workers.wait_ready());
        t.produce(10, 1'500);
        t.produce(40, 1'500);

        std::size_t at_random = 0;
        std::size_t at_boundaries = 0;
        std::size_t producers_killed = 0;
        const auto restart = [&](std::size_t place) {
            t.workers.restart(place, random() % 3 != 0 ? draw_failpoint(random) : "");
        };
        // A quarter of them at boundaries, however slow the machine.
        for (std::size_t round = 0; at_random + at_boundaries < kills || at_boundaries < kills / 4;
             ++round) {
            REQUIRE(round < 40 * kills);
            faults::pass_time(random, 300ms);
            for (std::size_t place = 0; place < t.workers.size(); ++place) {
                if (!t.workers.at(place).running()) {
                    const auto ended = t.workers.at(place).wait(1s);
                    REQUIRE_MESSAGE((ended && ended->signal == SIGKILL),
                                    t.workers.at(place).errors());
                    ++at_boundaries;
                    restart(place);
                }
            }
            if (random() % 5 < 2) {
                const std::size_t victim = random() % t.workers.size();
                at_random += t.workers.kill(victim) ? 1 : 0;
                restart(victim);
            }
            if (random() % 8 == 0) {
                producers_killed += t.kill_producer(random() % t.producers()) ? 1 : 0;
            }
        }
        // The last ones stay: no failpoint may be left in them.
        for (std::size_t place = 0; place < t.workers.size(); ++place) {
            at_random += t.workers.kill(place) ? 1 : 0;
            t.workers.restart(place);
        }
        REQUIRE(t.wait_for(jobs));
        const auto found = t.finish();
        CHECK(producers_killed > kills / 20);
        CHECK(found.losses > 0);
        MESSAGE(at_boundaries << " of the kills at a failpoint; " << producers_killed
                              << " producers killed");
        faults::report("SIGKILL of a worker", at_random + at_boundaries, kills, found);
    }
}
