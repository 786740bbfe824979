#pragma once

#include "engine/job_run.hpp"
#include "engine/run_log.hpp"
#include "pg/params.hpp"
#include "pg/pipeline.hpp"

#include <libqueue/job.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace libqueue::engine {

class acknowledgement;
class runtime;

/// A line on its way into the database.
class written_line {
   public:
    written_line(job_id job_, std::int64_t lease_, log_line line_)
        : job{job_}, lease{lease_}, line{std::move(line_)} {}
    job_id job;
    std::int64_t lease;
    log_line line;
};

/// Of put_job_log.
[[nodiscard]] pg::params log_params(std::span<const written_line> lines);
/// All lines that travel with these finishes; empty without any.
[[nodiscard]] std::vector<written_line> lines_of(std::span<const acknowledgement> batch);

/// How many of these finishes one turn may carry, so that what they say fits into a statement.
[[nodiscard]] std::size_t turn_share(std::span<const acknowledgement> pending);

/// Writes with each heartbeat what running handlers said since the last, and what was left of runs
/// that ended without a record of ours. Finished runs bring their last lines along themselves.
class log_writer {
   public:
    explicit log_writer(runtime& shared) : shared_{shared} {}
    log_writer(const log_writer&) = delete;
    log_writer& operator=(const log_writer&) = delete;

    /// Queues the statement when there is something to write: a bounded part of it, so that the
    /// beat it travels with is not held up.
    void send(pg::pipeline& on);
    /// That was committed. True: there is more.
    [[nodiscard]] bool committed();
    /// That was refused and would be again: a log must not cost a worker its life.
    void drop() { unsent_.clear(); }

   private:
    void collect();

    runtime& shared_;
    std::vector<written_line> unsent_;
    std::size_t sent_{0};
};

}  // namespace libqueue::engine
