#pragma once

#include "bench/harness.hpp"

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// The moments at which jobs are enqueued: every 1/rate seconds, or at random with that mean
/// (poisson), the same ones in every run.
[[nodiscard]] inline std::vector<clock::duration> make_moments(const arguments& given) {
    const std::string spacing = given.text_or("spacing", "steady");
    if (spacing != "steady" && spacing != "poisson") {
        throw std::runtime_error{"--spacing: expected steady or poisson, got " + spacing};
    }
    const auto rate = static_cast<double>(given.number("rate"));
    const auto seconds = static_cast<double>(given.number("seconds"));
    std::mt19937 random{1};
    std::exponential_distribution<double> wait{rate};
    std::vector<clock::duration> moments;
    for (double at = 0; at < seconds; at += spacing == "steady" ? 1 / rate : wait(random)) {
        moments.push_back(
            std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(at)));
    }
    return moments;
}

}  // namespace bench
