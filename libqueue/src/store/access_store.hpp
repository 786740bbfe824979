#pragma once

#include "store/operator_store.hpp"

#include <libqueue/access.hpp>

#include <optional>
#include <string>
#include <string_view>

// Tenants, tokens, audit and roles, one function per statement. All throw pg::sql_failure; an
// argument that cannot be sent throws domain_failure.

namespace libqueue::store {

[[nodiscard]] std::string create_tenant(const session& with, std::string_view name);
[[nodiscard]] pg::result list_tenants(const session& with);

/// Columns id, expires_at (microseconds of the epoch). `hash` in hexadecimal.
[[nodiscard]] pg::result create_token(const session& with, const std::string& hash,
                                      const token_options& options);
/// Columns id, name, role, tenant_id, expires_at.
[[nodiscard]] pg::result find_token(const session& with, const std::string& hash);
[[nodiscard]] pg::result list_tokens(const session& with, int limit,
                                     const std::optional<std::string>& below);
void revoke_token(const session& with, std::string_view id);

[[nodiscard]] pg::result list_audit(const session& with, const audit_filter& filter);
[[nodiscard]] pg::result verify_audit(const session& with,
                                      const std::optional<std::int64_t>& anchor_id,
                                      std::string_view anchor_hash);
[[nodiscard]] std::int64_t prune_audit(const session& with, std::chrono::seconds age);

/// Empty, or why it could not.
[[nodiscard]] std::string install_roles(const session& with);
[[nodiscard]] pg::result list_roles(const session& with);

}  // namespace libqueue::store
