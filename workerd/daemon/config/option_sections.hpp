#pragma once

#include "config/config.hpp"
#include "config/option.hpp"

#include <span>

namespace workerd {

// The option table is kept in one file per section; all_options() is their concatenation.
[[nodiscard]] std::span<const option> database_option_rows();
[[nodiscard]] std::span<const option> queue_option_rows();
[[nodiscard]] std::span<const option> limit_option_rows();
[[nodiscard]] std::span<const option> kind_option_rows();
[[nodiscard]] std::span<const option> encryption_option_rows();
[[nodiscard]] std::span<const option> worker_option_rows();
[[nodiscard]] std::span<const option> processor_option_rows();
[[nodiscard]] std::span<const option> analytics_option_rows();
[[nodiscard]] std::span<const option> mail_option_rows();
[[nodiscard]] std::span<const option> mint_option_rows();
[[nodiscard]] std::span<const option> payment_option_rows();
[[nodiscard]] std::span<const option> webhook_option_rows();
[[nodiscard]] std::span<const option> http_option_rows();
[[nodiscard]] std::span<const option> tenancy_option_rows();
[[nodiscard]] std::span<const option> surface_option_rows();
[[nodiscard]] std::span<const option> metric_option_rows();
[[nodiscard]] std::span<const option> alert_option_rows();
[[nodiscard]] std::span<const option> dashboard_option_rows();

}  // namespace workerd
