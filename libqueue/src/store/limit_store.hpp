#pragma once

#include "store/operator_store.hpp"

#include <libqueue/limits.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What is asked of limits from outside the engine, one function per statement. All throw
// pg::sql_failure.

namespace libqueue::store {

void set_limit(const session& with, const limit_change& change);
[[nodiscard]] grant reserve_tokens(const session& with, std::string_view name, int n,
                                   std::string_view key, std::chrono::microseconds at_most);
/// Returns how many buckets were not full.
[[nodiscard]] std::int64_t reset_limit(const session& with, std::string_view name,
                                       const std::optional<std::string>& key);
void close_limit(const session& with, std::string_view name, std::string_view key,
                 std::chrono::microseconds retry_after, std::string_view reason);
void report_requests(const session& with, std::string_view name, std::string_view key, int requests,
                     int errors);
void stop_limit(const session& with, std::string_view name, std::string_view reason);
void resume_limit(const session& with, std::string_view name);
[[nodiscard]] pg::result list_limits(const session& with, const std::optional<std::string>& name);

}  // namespace libqueue::store
