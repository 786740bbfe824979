#include "config/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace workerd {

namespace {

constexpr std::size_t length_max = 64;

// Optimal string alignment distance: insert, delete, replace, exchange of neighbours.
std::size_t distance(std::string_view left, std::string_view right) {
    const auto width = right.size() + 1;
    std::vector<std::size_t> cells((left.size() + 1) * width);
    const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
        return cells[i * width + j];
    };
    for (std::size_t i = 0; i <= left.size(); ++i)
        at(i, 0) = i;
    for (std::size_t j = 0; j <= right.size(); ++j)
        at(0, j) = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t change = left[i - 1] == right[j - 1] ? 0 : 1;
            auto best = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                best = std::min(best, at(i - 2, j - 2) + 1);
            at(i, j) = best;
        }
    }
    return at(left.size(), right.size());
}

}  // namespace

std::optional<std::string> suggest(std::string_view typed,
                                   std::span<const std::string> candidates) {
    if (typed.empty() || typed.size() > length_max)
        return std::nullopt;
    const std::size_t allowed = std::max<std::size_t>(1, (typed.size() + 1) / 3);
    std::optional<std::string> best;
    std::size_t best_distance = allowed + 1;
    for (const auto& candidate : candidates) {
        const auto found = distance(typed, candidate);
        if (found < best_distance) {
            best_distance = found;
            best = candidate;
        }
    }
    return best;
}

}  // namespace workerd
