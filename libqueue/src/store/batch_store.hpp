#pragma once

#include "pg/connection.hpp"
#include "store/operator_store.hpp"

#include <libqueue/batches.hpp>

#include <optional>
#include <string>

// Batches, one function per statement. All throw pg::sql_failure; text that cannot be sent throws
// domain_failure.

namespace libqueue::store {

[[nodiscard]] std::int64_t create_batch(const session& with, const new_batch& wanted);
void seal_batch(const session& with, std::int64_t batch);
[[nodiscard]] batch_cancelled cancel_batch(const session& with, std::int64_t batch,
                                           const std::optional<std::string>& reason);
/// Nothing when there is none.
[[nodiscard]] std::optional<batch_counts> count_batch(const session& with, std::int64_t batch);
[[nodiscard]] pg::result list_batches(const session& with, const batch_filter& filter);
/// No row when there is none.
[[nodiscard]] pg::result show_batch(const session& with, std::int64_t batch);
[[nodiscard]] pg::result list_batch_items(const session& with, std::int64_t batch,
                                          const batch_item_filter& filter);

}  // namespace libqueue::store
