#pragma once

#include <libqueue/client.hpp>
#include <libqueue/job.hpp>
#include <libqueue/jobs.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/run_records.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What verbs ask for, whoever answers: the database through the library, or a workerd through its
// API. The classes any_* have the functions of the library's classes with the same meaning, so a
// verb is written once and prints the same. What the API does not offer ends the verb (exit 2).

namespace qctl {

class context;

/// `libqueue::client`, and what jobs are linked with.
class any_jobs {
   public:
    explicit any_jobs(context& with) noexcept : with_{with} {}

    [[nodiscard]] libqueue::result<libqueue::enqueued> enqueue(const libqueue::new_job& job);
    [[nodiscard]] libqueue::result<std::vector<libqueue::job_id>> enqueue_many(
        std::span<const libqueue::new_job> jobs);
    [[nodiscard]] libqueue::result<libqueue::job_info> get(libqueue::job_id id);
    [[nodiscard]] libqueue::result<libqueue::job_info> wait(libqueue::job_id id,
                                                            std::chrono::milliseconds at_most);
    [[nodiscard]] libqueue::result<bool> cancel(libqueue::job_id id, std::string_view reason);
    [[nodiscard]] libqueue::result<void> retry(libqueue::job_id id);

    /// `libqueue::jobs`.
    [[nodiscard]] libqueue::result<libqueue::job_id> retry_edited(libqueue::job_id id,
                                                                  const std::string& payload);
    [[nodiscard]] libqueue::result<void> run_now(libqueue::job_id id);
    [[nodiscard]] libqueue::result<void> snooze(libqueue::job_id id, libqueue::time_point until);
    [[nodiscard]] libqueue::result<libqueue::job_id> clone(libqueue::job_id id,
                                                           const libqueue::clone_changes& changes);
    [[nodiscard]] libqueue::result<libqueue::report> lineage(libqueue::job_id id);
    /// The same rows, asked for as a graph.
    [[nodiscard]] libqueue::result<libqueue::report> workflow(libqueue::job_id id);
    [[nodiscard]] libqueue::result<libqueue::bounded_count> count(const libqueue::filter& which);

   private:
    context& with_;
};

/// `libqueue::run_records`.
class any_records {
   public:
    explicit any_records(context& with) noexcept : with_{with} {}

    [[nodiscard]] libqueue::report log(libqueue::job_id id, const libqueue::log_filter& filter);
    [[nodiscard]] libqueue::report progress(libqueue::job_id id);
    [[nodiscard]] libqueue::report effects(libqueue::job_id id);
    [[nodiscard]] libqueue::result<void> resolve_effect(libqueue::job_id id, std::string_view step,
                                                        bool happened, const std::string& output);

   private:
    context& with_;
};

}  // namespace qctl
