#pragma once

#include <chrono>
#include <type_traits>

/// How many jobs to claim for one queue in the next turn. Pure: time is passed in.
namespace libqueue::core {

/// What is known about one queue of this process when a turn is about to leave.
class claim_situation {
   public:
    claim_situation() = default;
    int slots{0};         ///< how many may run at once
    int free{0};          ///< of those, idle now
    int unstarted{0};     ///< claimed, held in memory, not started
    double rate{0};       ///< jobs this queue finishes per second here (`rate_meter`)
    double turn_time{0};  ///< seconds one turn takes, from its flush to its last result
    int batch_max{1'000};
};
static_assert(!std::is_aggregate_v<claim_situation>);

/// free + min(slots, ceil(rate * turn_time * 1.5)) - unstarted, within 0 and batch_max.
///
/// The second term is the prefetch: jobs that will find a free slot before the next turn is back,
/// with half as many again because rates waver. When less than one job finishes per turn it is
/// zero, so a job that runs for minutes is never claimed before a slot is free for it: another
/// process could have run it.
/// Negative, infinite and NaN inputs count as zero.
[[nodiscard]] int claim_budget(const claim_situation& now) noexcept;

/// Exponentially weighted mean of a rate, in events per second. Fading is by time and not by
/// sample, so it does not matter how events are batched, and a queue that falls silent reads lower
/// and lower without being told. The mean is corrected for its start: a steady rate is exact from
/// the first second on.
class rate_meter {
   public:
    using time_point = std::chrono::steady_clock::time_point;

    /// `memory`: after this time an event counts 1/e; > 0. `start`: when counting begins.
    rate_meter(std::chrono::duration<double> memory, time_point start) noexcept
        : memory_{memory.count()}, start_{start}, last_{start} {}

    /// `events` since the last call. A time before the last call's counts as the same time.
    void record(int events, time_point now) noexcept;
    /// 0 until time has passed since the start.
    [[nodiscard]] double rate(time_point now) const noexcept;

   private:
    [[nodiscard]] double faded(time_point now) const noexcept;

    double memory_;
    time_point start_;
    time_point last_;
    double events_{0};  // faded sum, as of last_
};

}  // namespace libqueue::core
