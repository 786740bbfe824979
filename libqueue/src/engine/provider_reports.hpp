#pragma once

#include "pg/params.hpp"
#include "pg/result.hpp"

#include <libqueue/outcome.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace libqueue::engine {

class acknowledgement;
class job_run;
class statements;

/// One of the limits a running job is under, as its claim told.
class job_limit {
   public:
    explicit job_limit(std::string name_) : name{std::move(name_)} {}
    std::string name;
    std::string key;
    bool slot{false};                 ///< a slot of its concurrency is held
    std::optional<std::int64_t> era;  ///< of its circuit when the job started; nothing: no breaker
};
/// Shared by the runs of a claim that are under the same limits and keys.
using job_limits = std::shared_ptr<const std::vector<job_limit>>;

/// The limits of one row of claim_limited. `before`: those of the row before, used again when they
/// are the same.
class limits_reader {
   public:
    [[nodiscard]] job_limits read(std::string_view text);

   private:
    std::string text_;
    job_limits last_;
};

/// What a handler said of the provider it called. Guarded by its run's mutex.
class provider_words {
   public:
    std::int64_t requests{0};
    std::int64_t errors{0};
    struct closing {
        std::string limit;  // empty: that of its kind
        std::chrono::milliseconds time;
    };
    std::vector<closing> closings;
};

/// What is written of one limit and key with the turn that records the run.
class provider_report {
   public:
    explicit provider_report(const job_limit& of) : limit{of.name}, key{of.key}, era{of.era} {}
    std::string limit;
    std::string key;
    std::optional<std::int64_t> era;
    std::int64_t requests{0};
    std::int64_t errors{0};
    std::int64_t close_us{0};
    std::string reason;
};

namespace provider_reports {

/// What this run has to say, now that it is over: what its handler said; and when it said nothing
/// of requests, a success for a run that completed and an error for one that timed out. Others say
/// nothing, because a payload that cannot be parsed is no provider's fault.
[[nodiscard]] std::vector<provider_report> of(job_run& run, const outcome& said);

/// Parameters of note_reports for all acknowledgements of a turn; nothing when none has a word.
[[nodiscard]] std::optional<pg::params> params(const std::vector<acknowledgement>& batch,
                                               std::int64_t worker, int lane);

}  // namespace provider_reports

}  // namespace libqueue::engine
