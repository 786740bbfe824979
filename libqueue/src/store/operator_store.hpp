#pragma once

#include "pg/connection.hpp"

#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// What operators ask of the database, one function per statement. All throw pg::sql_failure; a
// filter that cannot be sent (a tenant that is no UUID, a limit outside 1 to 10000) throws
// domain_failure.

namespace libqueue::store {

/// Connection and schema of one call.
class session {
   public:
    session(pg::connection& on_, std::string_view schema_) noexcept : on{on_}, schema{schema_} {}
    pg::connection& on;
    std::string_view schema;
};

/// Of the next `examine` facts; each row ends with examined, lowest, older (see list_jobs.sql).
[[nodiscard]] pg::result list_jobs(const session& with, const job_filter& filter, int examine);
[[nodiscard]] pg::result list_waiting_jobs(const session& with, const job_filter& filter);
[[nodiscard]] pg::result list_running_jobs(const session& with, const job_filter& filter);
[[nodiscard]] pg::result list_dead_jobs(const session& with, const job_filter& filter);
[[nodiscard]] pg::result list_attempts(const session& with, job_id id);
[[nodiscard]] pg::result explain_job(const session& with, job_id id);

[[nodiscard]] pg::result list_dead_letters(const session& with, const dead_letter_filter& filter);
[[nodiscard]] pg::result group_dead_letters(const session& with, const dead_letter_filter& filter);

/// What a sweep over dead letters knows before it begins.
class sweep {
   public:
    std::int64_t total{0};
    job_id last_id{0};
    std::string started_at;
};
[[nodiscard]] sweep count_dead_letters(const session& with, const dead_letter_filter& filter);
/// Ids above `after` up to `last`, ascending, at most one batch.
[[nodiscard]] std::vector<job_id> next_dead_letters(const session& with,
                                                    const dead_letter_filter& filter, job_id after,
                                                    job_id last);
/// Returns how many; `done` were replayed before in this sweep.
[[nodiscard]] std::int64_t replay_dead_letters(const session& with, std::span<const job_id> ids,
                                               const replay_options& options, const sweep& all,
                                               std::int64_t done);
[[nodiscard]] std::int64_t discard_dead_letters(const session& with, std::span<const job_id> ids);
/// One batch; 0 when none is left.
[[nodiscard]] std::int64_t prune_dead_letters(const session& with, std::chrono::seconds age);

[[nodiscard]] pg::result list_queues(const session& with);
[[nodiscard]] pg::result show_queue(const session& with, std::string_view queue);
void create_queue(const session& with, std::string_view queue);
void pause_queue(const session& with, std::string_view queue, std::string_view reason);
void resume_queue(const session& with, std::string_view queue);

class outstanding_jobs {
   public:
    std::int64_t waiting{0};
    std::int64_t running{0};
    job_id last_id{0};
};
/// Nothing when there is no such queue.
[[nodiscard]] std::optional<outstanding_jobs> count_outstanding(const session& with,
                                                                std::string_view queue);
/// One batch of jobs up to `last`; 0 when none is left.
[[nodiscard]] std::int64_t purge_queue(const session& with, std::string_view queue, job_id last);

[[nodiscard]] pg::result list_workers(const session& with);
[[nodiscard]] pg::result show_worker(const session& with, std::int64_t worker);
void ask_worker(const session& with, std::int64_t worker, std::string_view wish);
/// Of this host's process; returns whether one was known.
[[nodiscard]] bool record_worker_end(const session& with, int pid, std::string_view how);
[[nodiscard]] pg::result list_kinds(const session& with);
[[nodiscard]] pg::result list_unhandled_kinds(const session& with);
[[nodiscard]] pg::result show_stats(const session& with);
/// Columns problem, command, by_hand.
[[nodiscard]] pg::result list_cures(const session& with, const cure_thresholds& many);
/// A command of list_cures, outside of any transaction.
void run_cure(const session& with, const std::string& command);

}  // namespace libqueue::store
