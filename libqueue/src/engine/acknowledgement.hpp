#pragma once

#include "engine/provider_reports.hpp"
#include "engine/run_log.hpp"

#include <libqueue/job.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace libqueue::engine {

struct queue_state;

/// What the next turn records about one run. `outcome` is a name of queue.attempt_outcome.
class acknowledgement {
   public:
    acknowledgement(job_id job_, std::int64_t lease_, const char* outcome_)
        : job{job_}, lease{lease_}, outcome{outcome_} {}

    job_id job;
    std::int64_t lease;
    const char* outcome;
    bool completed{false};
    bool recorded{false};  ///< elsewhere: its lease is only to be settled
    int attempt{1};
    std::int64_t ran_us{0};
    std::string output;         ///< completed only; JSON or empty
    std::string error;          ///< storable text
    std::int64_t delay_us{-1};  ///< back in line after; negative: final
    int used{0};                ///< attempts used from now on
    bool reconcile{false};
    queue_state* queue{nullptr};  ///< of this process, whose next look must not miss its return
    bool attached{false};         ///< it has a batch or keys to be settled
    bool in_batch{false};         ///< its end counts for a batch
    std::int64_t counted_for{0};  ///< completed only: the batch it is counted for with its lease
    std::string dead_reason;      ///< not empty: dead letter
    std::vector<provider_report> reports;
    std::vector<log_line> log;  ///< what the handler said and was not written yet
};

}  // namespace libqueue::engine
