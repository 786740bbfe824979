#pragma once

#include "pg/connection.hpp"

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What producers ask of the database, one function per statement. All throw pg::sql_failure; a
// domain error is one of those too (pg::domain_error tells).

namespace libqueue::store {

/// The statement that enqueues `job`, with its parameters as text.
class enqueue_call {
   public:
    explicit enqueue_call(const new_job& job);
    std::string_view sql;
    std::vector<std::optional<std::string>> parameters;
};

[[nodiscard]] enqueued enqueue(pg::connection& on, std::string_view schema, const new_job& job);

/// New ids, in order, for jobs that are yet to be enqueued.
[[nodiscard]] std::vector<job_id> draw_job_ids(pg::connection& on, std::string_view schema,
                                               std::size_t count);

/// Jobs that differ in nothing but their payload, in order.
class job_group {
   public:
    const new_job* options{nullptr};
    std::vector<std::size_t> members;  ///< positions in the batch
    std::size_t bytes{0};              ///< of the payloads
};

/// Splits a batch into groups that one statement each can carry. Two jobs for the same line keep
/// their order, so ids and turns within a line follow the batch.
[[nodiscard]] std::vector<job_group> group_jobs(std::span<const new_job> jobs);

/// Writes the ids of the group's jobs to their positions in `ids`.
void enqueue_group(pg::connection& on, std::string_view schema, std::span<const new_job> jobs,
                   const job_group& group, std::vector<job_id>& ids);

[[nodiscard]] std::optional<job_info> find_job(pg::connection& on, std::string_view schema,
                                               job_id id);
/// True: it was waiting and is cancelled; false: it runs and was told.
[[nodiscard]] bool cancel_job(pg::connection& on, std::string_view schema, job_id id,
                              std::string_view reason);
void retry_job(pg::connection& on, std::string_view schema, job_id id);
void assert_lease(pg::connection& on, std::string_view schema, job_id id, std::int64_t lease);

}  // namespace libqueue::store
