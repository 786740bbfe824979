#pragma once

#include <libqueue/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace libqueue {

/// When a provider counts as down. While the circuit is open nothing under the limit starts; then
/// one job starts as a probe, and what it reports closes the circuit or opens it again.
class breaker_options {
   public:
    breaker_options() = default;
    double ratio{0.5};    ///< opens when this share of the requests failed; above 0, at most 1
    int min_requests{5};  ///< fewer within the window say nothing; 1 to 1,000,000
    std::chrono::milliseconds window{60'000};    ///< 1 s to a day; rolls in halves
    std::chrono::milliseconds cooldown{30'000};  ///< from opening to the probe; 100 ms to a day
};
static_assert(!std::is_aggregate_v<breaker_options>);

/// The figures of a limit. 0: not limited in that way.
class limit_options {
   public:
    explicit limit_options(std::string name_) : name{std::move(name_)} {}
    std::string name;    ///< [a-z0-9_.-], 1 to 64 bytes
    int burst{0};        ///< tokens of a full bucket; 0: one second's worth; at most 1,000,000
    double rate{0};      ///< tokens that come per second: 0.000001 to 100,000
    int concurrency{0};  ///< running at once in all processes; at most 1,000,000
    /// One bucket (and one count of running jobs, and one circuit) per key: `tenant`, `limit_key`
    /// (given at enqueue), or `meta.<field>` of the job. Empty: one for all. Jobs without the field
    /// share one bucket.
    std::string key;
    /// The limit above: a job under this one is under that one too. At most 4 levels. Empty: none.
    std::string parent;
    std::optional<breaker_options> breaker;  ///< fed by job_context::provider_ok and its like
};
static_assert(!std::is_aggregate_v<limit_options>);

/// Tokens per second of `5`, `5/s`, `20/h`, `1000/min`, `100/d`.
[[nodiscard]] result<double> parse_rate(std::string_view text);

/// What a request for tokens came to.
class grant {
   public:
    bool granted{false};
    /// Until the tokens are there: the caller's slot when granted, else the earliest time at which
    /// they could be. Nothing while the limit is stopped.
    std::optional<std::chrono::microseconds> wait;
};

}  // namespace libqueue
