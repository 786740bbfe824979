#pragma once

#include <cstdint>

namespace simulation {

/// The one source of chance. Written out, because the standard library's distributions differ
/// between versions and a seed must mean the same run everywhere. SplitMix64.
class random {
   public:
    explicit random(std::uint64_t seed) noexcept : state_{seed * 0x9E3779B97F4A7C15U + 1} {}

    [[nodiscard]] std::uint64_t next() noexcept {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }
    /// low to high, both included.
    [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
        return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
    }
    [[nodiscard]] bool percent(int chance) noexcept { return between(1, 100) <= chance; }
    [[nodiscard]] double unit() noexcept { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

   private:
    std::uint64_t state_;
};

}  // namespace simulation
