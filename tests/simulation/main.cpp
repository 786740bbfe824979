#define DOCTEST_CONFIG_IMPLEMENT
#include "campaign.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace {

constexpr std::string_view usage =
    "usage: test_simulation [doctest options]    the campaign that tests/run makes\n"
    "       test_simulation --seed N [--bug NAME]  one run, its events printed\n"
    "       test_simulation --seeds N [--from N] [--bug NAME]  a longer campaign\n";

int replay(const simulation::settings& how) {
    const simulation::report told = simulation::world_run(how);
    for (const std::string& event : told.events) {
        std::cout << event << '\n';
    }
    std::cout << (told.broken ? "broken" : "nothing broken") << '\n';
    return told.broken ? 1 : 0;
}

int soak(std::uint64_t from, std::uint64_t seeds, const simulation::settings& how) {
    const simulation::campaign_result result = simulation::campaign(from, seeds, how.bug);
    std::cout << simulation::describe(result);
    return result.broken ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    simulation::settings how;
    std::uint64_t seed = 0;
    std::uint64_t seeds = 0;
    std::uint64_t from = 1;
    for (int at = 1; at + 1 < argc; ++at) {
        const std::string_view option{argv[at]};
        const char* value = argv[at + 1];
        if (option == "--seed") {
            seed = std::strtoull(value, nullptr, 10);
        } else if (option == "--seeds") {
            seeds = std::strtoull(value, nullptr, 10);
        } else if (option == "--from") {
            from = std::strtoull(value, nullptr, 10);
        } else if (option == "--bug") {
            const auto bug = simulation::find_bug(value);
            if (!bug) {
                std::cerr << "no planted bug of that name; there are:\n";
                for (const auto& [id, name] : simulation::planted_bugs) {
                    std::cerr << "  " << name << '\n';
                }
                return 2;
            }
            how.bug = *bug;
        }
    }
    if (argc == 2 && std::string_view{argv[1]} == "--usage") {
        std::cout << usage;
        return 0;
    }
    if (seed != 0) {
        how.seed = seed;
        how.trace = true;
        return replay(how);
    }
    if (seeds != 0) {
        return soak(from, seeds, how);
    }
    doctest::Context context{argc, argv};
    return context.run();
}
