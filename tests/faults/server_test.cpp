#include "campaign.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <chrono>
#include <random>
#include <string>

namespace {

using namespace std::chrono_literals;

test::pg_cluster_options durable() {
    test::pg_cluster_options options;
    options.fsync = true;
    return options;
}

/// SIGKILL to a backend of somebody else, drawn at random. The postmaster then restarts all.
bool kill_backend(const std::string& dsn, std::mt19937_64& random) {
    try {
        const auto backends =
            test::rows(dsn,
                       "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                       "AND backend_type = 'client backend' AND application_name <> '' "
                       "ORDER BY application_name, pid");
        if (backends.empty()) {
            return false;
        }
        const auto pid = std::stoi(backends[random() % backends.size()][0].value());
        return ::kill(pid, SIGKILL) == 0;
    } catch (const test::sql_error&) {
        return false;  // still recovering from the one before
    }
}

std::size_t count(const std::string& log, const std::string& text) {
    std::size_t found = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
        ++found;
    }
    return found;
}

}  // namespace

TEST_SUITE("faults: PostgreSQL") {
    TEST_CASE("faults: the postmaster killed under load") {
        const std::size_t kills = faults::times(20, 300);
        const std::size_t jobs = faults::times(6'000, 100'000);
        std::mt19937_64 random{faults::seed() + 2};
        test::pg_cluster cluster{durable()};
        const test::test_database db{cluster};
        faults::trial t{db.dsn()};
        t.workers.grow(3);
        REQUIRE(t.workers.wait_ready());
        t.produce(20, 800);
        t.produce(60, 800);

        // How many enqueues are under way at a kill is the machine's doing: on, until enough were.
        std::size_t killed = 0;
        while (killed < kills || (t.promised().repeats < kills / 4 && killed < 3 * kills)) {
            REQUIRE(t.wait_for_more(20 + random() % 60));
            faults::pass_time(random, 200ms);
            killed += cluster.postmaster_pid() > 0 ? 1 : 0;
            cluster.kill();
            faults::pass_time(random, 400ms);
            cluster.start();
            t.revive_producers();
        }
        REQUIRE(t.wait_for(jobs));
        for (std::size_t place = 0; place < t.workers.size(); ++place) {
            // The same processes found their way back: nobody started them again.
            CHECK(t.workers.at(place).running());
            CHECK(t.workers.count(place, "database_back") >= 1);
        }
        CHECK(t.promised().repeats >= kills / 4);
        faults::report("kill -9 of the postmaster", killed, kills, t.finish());
    }

    TEST_CASE("faults: single backends killed under load") {
        const std::size_t kills = faults::times(100, 3'000);
        const std::size_t jobs = faults::times(6'000, 100'000);
        std::mt19937_64 random{faults::seed() + 3};
        test::pg_cluster cluster;
        const test::test_database db{cluster};
        faults::trial t{db.dsn()};
        t.workers.grow(3);
        REQUIRE(t.workers.wait_ready());
        t.produce(20, 800);
        t.produce(60, 800);
        REQUIRE(t.wait_for_more(50));

        std::size_t killed = 0;
        for (std::size_t round = 0; killed < kills; ++round) {
            REQUIRE(round < 20 * kills);
            faults::pass_time(random, 150ms);
            killed += kill_backend(db.dsn(), random) ? 1 : 0;
            t.revive_producers();
        }
        REQUIRE(t.wait_for(jobs));
        // Two of them may have died in one crash.
        const std::size_t crashes = count(cluster.log(), "was terminated by signal 9");
        CHECK(crashes >= kills / 2);
        faults::report("kill -9 of a backend", killed, kills, t.finish());
    }
}
