#pragma once

#include "store/operator_store.hpp"

#include <libqueue/run_records.hpp>

#include <optional>
#include <string>
#include <string_view>

// What is asked of the records of runs from outside the engine, one function per statement. All
// throw pg::sql_failure.

namespace libqueue::store {

[[nodiscard]] pg::result list_job_log(const session& with, job_id id, const log_filter& filter);
[[nodiscard]] pg::result show_progress(const session& with, job_id id);
[[nodiscard]] std::optional<std::string> last_checkpoint(const session& with, job_id id);
[[nodiscard]] pg::result list_effects(const session& with, job_id id);
/// By an operator, while nobody runs the job.
void effect_resolve(const session& with, job_id id, std::string_view step, bool happened,
                    const std::string& output);

}  // namespace libqueue::store
