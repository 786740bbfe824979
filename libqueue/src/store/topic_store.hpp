#pragma once

#include "pg/connection.hpp"
#include "store/operator_store.hpp"

#include <libqueue/topics.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Topics, one function per statement. All throw pg::sql_failure; text that cannot be sent throws
// domain_failure.

namespace libqueue::store {

[[nodiscard]] int publish_event(const session& with, const new_event& event);
[[nodiscard]] std::int64_t set_subscription(const session& with, const new_subscription& wanted);
[[nodiscard]] bool remove_subscription(const session& with, std::int64_t id);
[[nodiscard]] bool remove_subscription_of(const session& with, std::string_view pattern,
                                          std::string_view kind,
                                          const std::optional<std::string>& tenant_id);
[[nodiscard]] pg::result list_subscriptions(const session& with, const subscription_filter& filter);
[[nodiscard]] pg::result list_subscribers(const session& with, const new_event& event);
[[nodiscard]] pg::result list_unrouted(const session& with, int limit);
[[nodiscard]] std::int64_t forget_unrouted(const session& with,
                                           const std::optional<std::string>& topic);

}  // namespace libqueue::store
