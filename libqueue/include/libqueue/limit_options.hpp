#pragma once

#include <libqueue/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace libqueue {

/// The figures of a limit. 0: not limited in that way.
class limit_options {
   public:
    explicit limit_options(std::string name_) : name{std::move(name_)} {}
    std::string name;    ///< [a-z0-9_.-], 1 to 64 bytes
    int burst{0};        ///< tokens of a full bucket; 0: one second's worth; at most 1,000,000
    double rate{0};      ///< tokens that come per second: 0.000001 to 100,000
    int concurrency{0};  ///< running at once in all processes; at most 1,000,000
    /// One bucket (and one count of running jobs) per key: `tenant`, or `meta.<field>` of the job.
    /// Empty: one for all. Jobs without the field share one bucket.
    std::string key;
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
