#include "campaign.hpp"
#include "support/fault_proxy.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>

namespace {

using namespace std::chrono_literals;
using direction = test::fault_proxy::direction;

/// Loses answers to requests that contain `text`, one after the other, until so many are lost.
void lose_answers(test::fault_proxy& proxy, faults::trial& t, const std::string& text,
                  std::size_t wanted) {
    const std::size_t target = proxy.answers_lost() + wanted;
    while (proxy.answers_lost() < target) {
        const std::size_t before = proxy.answers_lost();
        proxy.lose_answer(text);
        REQUIRE(test::wait_until([&] { return proxy.answers_lost() > before; }, 60s));
        t.revive_producers();
    }
}

/// What a network does to the connections of one name. Returns how many it hit.
std::size_t hurt(test::fault_proxy& proxy, std::mt19937_64& random) {
    constexpr std::array names{"libqueue worker turn 0", "libqueue worker turn 1",
                               "libqueue worker presence", "libqueue worker maintenance",
                               "producer"};
    const std::string who = names[random() % names.size()];
    const std::size_t bytes = random() % 4'000;
    switch (random() % 4) {
        case 0:
            return proxy.cut(who);
        case 1:
            return proxy.cut_after(direction::to_server, bytes, who);
        case 2:
            return proxy.cut_after(direction::to_client, bytes, who);
        default:
            proxy.delay(std::chrono::milliseconds{random() % 30});
            return 1;
    }
}

}  // namespace

TEST_SUITE("faults: connections") {
    TEST_CASE("faults: a connection cut between COMMIT and its reply: exactly one job") {
        const std::size_t cuts = faults::times(50, 1'000);
        const std::size_t jobs = faults::times(3'000, 60'000);
        const test::test_database db;
        test::fault_proxy proxy{db.cluster().socket_dir()};
        faults::trial t{db.dsn(), faults::fleet_options{db.dsn()}, proxy.dsn(db.name())};
        t.workers.grow(2);
        REQUIRE(t.workers.wait_ready());
        t.produce(5, 800);
        t.produce(5, 800);

        // Batches commit by COMMIT, single enqueues with their one statement; that statement is
        // also in the batches, where nothing is committed yet.
        lose_answers(proxy, t, "COMMIT", (cuts + 1) / 2);
        const std::size_t commits = proxy.answers_lost();
        while (t.duplicates() < cuts - commits) {
            lose_answers(proxy, t, "enqueue_once", 1);
            REQUIRE(t.wait_for_more(1));
        }
        REQUIRE(t.wait_for(jobs));

        const auto promised = t.promised();
        CHECK(promised.repeats >= cuts);
        MESSAGE(proxy.answers_lost() << " answers lost, " << commits << " of them to COMMIT; "
                                     << promised.duplicates << " repeats found their job there");
        faults::report("cut between COMMIT and reply", commits + promised.duplicates, cuts,
                       t.finish());
    }

    TEST_CASE("faults: a network that cuts, delays and ends connections in the middle of a word") {
        const std::size_t wounds = faults::times(100, 2'000);
        const std::size_t jobs = faults::times(3'000, 60'000);
        std::mt19937_64 random{faults::seed() + 4};
        const test::test_database db;
        test::fault_proxy proxy{db.cluster().socket_dir()};
        const std::string dsn = proxy.dsn(db.name());
        faults::trial t{db.dsn(), faults::fleet_options{dsn}, dsn};
        t.workers.grow(3);
        REQUIRE(t.workers.wait_ready());
        t.produce(20, 800);

        std::size_t hit = 0;
        while (hit < wounds) {
            hit += std::min<std::size_t>(1, hurt(proxy, random));
            faults::pass_time(random, 150ms);
            t.revive_producers();
        }
        proxy.delay(0ms);
        // Half-open: the worker must find out by itself.
        const std::size_t holes = proxy.blackhole("libqueue worker");
        CHECK(holes > 0);
        REQUIRE(t.wait_for_more(1));
        REQUIRE(t.wait_for(jobs));
        CHECK(t.workers.count_all("database_lost") > 0);
        MESSAGE(holes << " connections half open in the end");
        faults::report("cuts and delays on the wire", hit, wounds, t.finish());
    }
}
