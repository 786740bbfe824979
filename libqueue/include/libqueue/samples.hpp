#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>

// The history of queues, by the minute, for 30 days (table queue.sample).

namespace libqueue {

/// Upper bounds, in seconds, of the buckets that samples count waits and runs in; one more bucket
/// holds what took longer. Those of `queue.sample_bounds()`, which a test compares.
inline constexpr std::array<double, 19> sample_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                      0.25,  0.5,    1,     2.5,  5,     10,   30,
                                                      60,    300,    1800,  7200, 43200};

/// Which chart.
class series_request {
   public:
    explicit series_request(std::string metric_) : metric{std::move(metric_)} {}
    /// throughput (completed, failed: per second), failures (percent of what ended), wait and run
    /// (p50, p95, p99: seconds), depth (ready, scheduled, retrying, running, dead: jobs).
    std::string metric;
    std::optional<std::string> queue;  ///< unset: all together
    std::optional<time_point> from;    ///< unset: an hour before `to`
    std::optional<time_point> to;      ///< unset: now
    std::chrono::seconds step{60};     ///< whole minutes, 1 minute to 1 day; at most 2000 steps
};
static_assert(!std::is_aggregate_v<series_request>);

/// Uses the client's connection: one thread at a time, and the client must outlive it. A database
/// that is away throws `failure`.
class samples {
   public:
    explicit samples(client& connection) noexcept : client_{connection} {}

    /// Columns at, seconds (since 1970), name, value; one row for each step and series, in the
    /// order of series and time. The value is NULL where nothing is known. `invalid_argument` for
    /// what there is no chart of.
    [[nodiscard]] result<report> series(const series_request& wanted);
    /// JSON array of objects with the columns of queue.sample. Those that are there already stay,
    /// so that a call whose answer was lost can be repeated.
    void put(const std::string& json);

   private:
    client& client_;
};

}  // namespace libqueue
