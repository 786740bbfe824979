#include "campaign.hpp"

#include "process.hpp"

#include <sstream>

namespace simulation {
namespace {

constexpr std::size_t events_shown = 60;

}  // namespace

report world_run(const settings& how) {
    world one{how};
    return one.run();
}

campaign_result campaign(std::uint64_t from, std::uint64_t seeds, planted_bug bug) {
    campaign_result result;
    for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
        settings how;
        how.seed = seed;
        how.bug = bug;
        const report told = world_run(how);
        result.counts.add(told.counts);
        ++result.seeds;
        if (told.broken) {
            result.broken = told.broken;
            result.broken_seed = seed;
            // The same run once more, this time with its events told.
            how.trace = true;
            result.events = world_run(how).events;
            break;
        }
    }
    return result;
}

std::string describe(const campaign_result& result) {
    std::ostringstream text;
    const tally& all = result.counts;
    text << result.seeds << " seeds: " << all.jobs << " jobs, " << all.events << " events, "
         << all.crashes << " crashes (" << all.poisoned << " by jobs), " << all.freezes
         << " freezes, " << all.rescues << " jobs rescued, " << all.refused << " finishes refused, "
         << all.doubts << " turns in doubt, " << all.orphans << " transactions without client, "
         << all.waits << " waits for locks, " << all.violations << " unique violations, "
         << all.apart << " runs apart, " << all.returned << " returned, " << all.forgotten
         << " forgotten, " << all.strays << " strays, " << all.operations << " operations\n";
    if (!result.broken) {
        return text.str();
    }
    const std::size_t most = std::min(events_shown, result.events.size());
    for (std::size_t at = result.events.size() - most; at < result.events.size(); ++at) {
        text << "  " << result.events[at] << '\n';
    }
    text << "seed " << result.broken_seed << " broke \"" << result.broken->invariant
         << "\": " << result.broken->detail << "\nreplay: test_simulation --seed "
         << result.broken_seed << '\n';
    return text.str();
}

std::optional<planted_bug> find_bug(std::string_view name) {
    for (const auto& [bug, known] : planted_bugs) {
        if (known == name) {
            return bug;
        }
    }
    return std::nullopt;
}

std::string_view name_of(planted_bug bug) {
    for (const auto& [known, name] : planted_bugs) {
        if (known == bug) {
            return name;
        }
    }
    return "none";
}

}  // namespace simulation
