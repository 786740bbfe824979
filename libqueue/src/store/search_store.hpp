#pragma once

#include "store/operator_store.hpp"

#include <libqueue/bulk.hpp>
#include <libqueue/filter.hpp>
#include <libqueue/jobs.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Jobs, dead letters and operations by filter, one function per statement. All throw
// pg::sql_failure; what cannot be sent throws domain_failure.

namespace libqueue::store {

/// Rows end with the column behind_it; a last row without id: the time was up.
[[nodiscard]] pg::result find_jobs(const session& with, const filter& which,
                                   const std::optional<std::string>& behind, int limit);
[[nodiscard]] pg::result find_dead_letters(const session& with, const filter& which,
                                           const std::optional<std::string>& behind, int limit);
[[nodiscard]] bounded_count count_jobs(const session& with, const filter& which, int most);
[[nodiscard]] pg::result list_filter_values(const session& with, std::string_view field,
                                            std::string_view begun, int limit);
[[nodiscard]] pg::result show_job(const session& with, job_id id);
[[nodiscard]] pg::result explain_job_further(const session& with, job_id id);
[[nodiscard]] pg::result job_lineage(const session& with, job_id id);
void snooze_job(const session& with, job_id id, time_point until);
[[nodiscard]] job_id clone_job(const session& with, job_id id, const clone_changes& changes);
[[nodiscard]] job_id retry_edited(const session& with, job_id id, const std::string& payload);

[[nodiscard]] pg::result list_failure_groups(const session& with, const filter& which,
                                             time_point since, int buckets, int limit);
void note_failure_group(const session& with, std::string_view fingerprint,
                        const std::optional<std::string>& note, bool muted);

[[nodiscard]] bounded_count count_operation(const session& with, bulk_action action,
                                            const filter& which);
[[nodiscard]] std::int64_t create_operation(const session& with, const new_bulk& wanted);
[[nodiscard]] pg::result list_operations(const session& with, bool unfinished_only,
                                         const std::optional<std::int64_t>& before, int limit);
[[nodiscard]] pg::result show_operation(const session& with, std::int64_t operation);
void cancel_operation(const session& with, std::int64_t operation);

[[nodiscard]] pg::result show_overview(const session& with);
[[nodiscard]] pg::result show_database(const session& with);
[[nodiscard]] pg::result list_tables(const session& with);
void set_objective(const session& with, std::string_view queue,
                   const std::optional<double>& seconds);

}  // namespace libqueue::store
