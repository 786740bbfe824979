#pragma once

#include "pg/connection.hpp"
#include "store/operator_store.hpp"

#include <libqueue/alerts.hpp>
#include <libqueue/samples.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Measures, samples and alerts, one function per statement. All throw pg::sql_failure; text that
// cannot be sent throws domain_failure.

namespace libqueue::store {

[[nodiscard]] bool hold_duty(const session& with, std::string_view duty, std::string_view holder,
                             std::chrono::milliseconds hold_for);
[[nodiscard]] pg::result observe_gauges(const session& with);
[[nodiscard]] pg::result count_failures(const session& with, std::chrono::minutes within);
[[nodiscard]] pg::result canary_queues(const session& with, std::string_view kind);
[[nodiscard]] pg::result health_detail(const session& with);
/// Seconds since 1970.
[[nodiscard]] double database_time(const session& with);

void put_levels(const session& with, const std::string& json);
void put_samples(const session& with, const std::string& json);
[[nodiscard]] pg::result sample_series(const session& with, const series_request& wanted);

[[nodiscard]] pg::result list_alerts(const session& with, const alert_filter& filter);
[[nodiscard]] pg::result acknowledge_alert(const session& with, std::int64_t id,
                                           std::string_view by_whom,
                                           const std::optional<std::string>& note);
[[nodiscard]] pg::result update_alerts(const session& with, const std::string& firing,
                                       const alert_ends& ends);
[[nodiscard]] pg::result list_untold_alerts(const session& with);
void note_alert_told(const session& with, std::int64_t id, std::string_view channel, bool told,
                     bool is_end);

}  // namespace libqueue::store
