#include "campaign.hpp"

#include <doctest/doctest.h>

#include <string>

using simulation::campaign;
using simulation::campaign_result;
using simulation::planted_bug;
using simulation::tally;

namespace {

constexpr std::uint64_t seeds = 20'000;

}  // namespace

TEST_SUITE_BEGIN("simulation");

TEST_CASE("simulation: every promise holds in 20,000 runs with crashes anywhere") {
    const campaign_result result = campaign(1, seeds, planted_bug::none);

    INFO(simulation::describe(result));
    CHECK(result.seeds == seeds);
    CHECK_FALSE(result.broken.has_value());
    // A campaign that did not meet its faults has shown nothing.
    const tally& met = result.counts;
    for (const std::int64_t each :
         {met.crashes, met.poisoned, met.freezes, met.rescues, met.refused, met.doubts, met.orphans,
          met.waits, met.violations, met.operations, met.strays, met.forgotten, met.apart,
          met.returned}) {
        CHECK(each > 0);
    }
    MESSAGE(simulation::describe(result));
}

TEST_CASE("simulation: a seed is the same run every time") {
    simulation::settings how;
    how.trace = true;
    for (how.seed = 1; how.seed <= 50; ++how.seed) {
        CHECK(simulation::world_run(how).events == simulation::world_run(how).events);
    }
}

TEST_CASE("simulation: every planted bug is caught") {
    for (const auto& [bug, name] : simulation::planted_bugs) {
        const campaign_result result = campaign(1, seeds, bug);

        INFO("planted bug " << name);
        CHECK(result.broken.has_value());
        if (result.broken) {
            MESSAGE(name << ": caught by \"" << result.broken->invariant << "\", seed "
                         << result.broken_seed);
        }
    }
}

TEST_SUITE_END();
