#pragma once

#include "pg/connection.hpp"
#include "store/operator_store.hpp"

#include <libqueue/schedules.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Schedules, one function per statement. All throw pg::sql_failure; text that cannot be sent throws
// domain_failure.

namespace libqueue::store {

/// A schedule's name and tenant.
class schedule_key {
   public:
    schedule_key(std::string_view name_, const std::optional<std::string>& tenant_id_)
        : name{name_}, tenant_id{tenant_id_} {}
    std::string_view name;
    const std::optional<std::string>& tenant_id;
};

[[nodiscard]] std::int64_t set_schedule(const session& with, const new_schedule& wanted);
[[nodiscard]] bool remove_schedule(const session& with, const schedule_key& which);
void pause_schedule(const session& with, const schedule_key& which);
void resume_schedule(const session& with, const schedule_key& which);
[[nodiscard]] job_id run_schedule(const session& with, const schedule_key& which);
[[nodiscard]] std::vector<time_point> next_firings(const session& with, const schedule_key& which,
                                                   int n);
[[nodiscard]] std::vector<time_point> preview_cron(const session& with, std::string_view cron,
                                                   std::string_view timezone, int n);
[[nodiscard]] pg::result list_schedules(const session& with, const schedule_filter& filter);
/// No row when there is none.
[[nodiscard]] pg::result show_schedule(const session& with, const schedule_key& which);
[[nodiscard]] pg::result list_schedule_runs(const session& with, const schedule_key& which,
                                            int limit);

}  // namespace libqueue::store
