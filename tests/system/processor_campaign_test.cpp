// Many jobs of one processor while replies are lost, the provider fails and workers are killed.
#include "processor_rig.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

using namespace std::chrono_literals;
using system_test::processor_rig;
using test::provider_fault;

namespace {

int jobs_wanted() {
    const char* const said = std::getenv("LIBQUEUE_PROCESSOR_JOBS");
    return said != nullptr ? std::max(1, std::atoi(said)) : 120;
}

constexpr std::size_t workers{2};

int open_jobs(const processor_rig& t) {
    return std::stoi(
        t.db.query("SELECT count(*) FROM queue.jobs WHERE state NOT IN "
                   "('completed', 'cancelled', 'dead')"));
}

/// One worker of two is killed and another takes its place.
void kill_one(processor_rig& t, int round) {
    auto& all = t.workers();
    const std::size_t at = static_cast<std::size_t>(round) % workers;
    all[at]->kill();
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
    t.start();
}

}  // namespace

TEST_SUITE_BEGIN("campaign");

TEST_CASE("lost replies, failing provider, killed workers: each effect once, nothing stuck") {
    const int jobs = jobs_wanted();
    processor_rig t{1000};
    for (std::size_t each = 0; each < workers; ++each) {
        t.start();
    }
    t.other->fail_with(provider_fault::random);
    const int rounds = std::max(4, jobs / 250);
    int kills = 0;
    int enqueued = 0;
    for (int round = 1; round <= rounds; ++round) {
        const int wanted = jobs * round / rounds;
        t.enqueue_many(enqueued, wanted);
        enqueued = wanted;
        // In the middle of it, wherever that is: what is quick is through after a few milliseconds.
        CHECK_FALSE(test::wait_until([] { return false; }, 3ms + 1ms * (round * 53 % 400)));
        kill_one(t, kills++);
    }
    // What is open meets faults for some time more; then all must settle by itself.
    (void)test::wait_until([&] { return open_jobs(t) < jobs / 10; }, 10s);
    t.other->fail_with(provider_fault::none);
    const bool settled =
        test::wait_until([&] { return open_jobs(t) == 0; }, test::scaled(120s + 60ms * jobs));

    CHECK_MESSAGE(settled, t.db.query("SELECT string_agg(DISTINCT state || ' ' || "
                                      "coalesce(last_error, ''), '; ') FROM queue.jobs "
                                      "WHERE state NOT IN ('completed')"));
    CHECK_MESSAGE(t.db.query("SELECT count(*) FROM queue.jobs WHERE state <> 'completed'") == "0",
                  t.db.query("SELECT string_agg(DISTINCT last_error, '; ') FROM queue.jobs "
                             "WHERE state <> 'completed'"));
    int twice = 0;
    int never = 0;
    for (int each = 0; each < jobs; ++each) {
        const int effects = t.effects(each);
        twice += effects > 1 ? 1 : 0;
        never += effects < 1 ? 1 : 0;
    }
    CHECK(twice == 0);
    CHECK(never == 0);
    CHECK(t.db.query("SELECT count(*) FROM queue.effects WHERE state = 'begun'") == "0");
    const std::string lost =
        t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'");
    // Else the kills have shown nothing; a handful of them may well find everybody idle.
    CHECK((jobs < 1000 || lost != "0"));
    std::cout << t.other->kind() << ": " << jobs << " jobs, " << kills << " kills, "
              << t.db.query("SELECT count(*) FROM queue.attempt") << " runs, " << lost << " lost, "
              << t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'unknown'")
              << " unknown; twice " << twice << ", never " << never << '\n';
}

TEST_SUITE_END();
