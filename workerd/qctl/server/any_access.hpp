#pragma once

#include <libqueue/access.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qctl {

class context;

/// `libqueue::access_control`, of the database or of a server; see any_jobs.hpp.
class any_access {
   public:
    explicit any_access(context& with) noexcept : with_{with} {}

    [[nodiscard]] libqueue::result<std::string> create_tenant(std::string_view name);
    [[nodiscard]] libqueue::report list_tenants();
    [[nodiscard]] libqueue::result<libqueue::new_token> create_token(
        const libqueue::token_options& options);
    [[nodiscard]] libqueue::result<libqueue::token_holder> find_token(std::string_view presented);
    [[nodiscard]] libqueue::report list_tokens(int limit,
                                               const std::optional<std::string>& next_before);
    [[nodiscard]] libqueue::result<void> revoke_token(std::string_view id);
    /// One of an identity provider, by its `iss` and `jti`, until its `exp`.
    [[nodiscard]] libqueue::result<void> revoke_jwt(const std::string& issuer,
                                                    const std::string& jti,
                                                    libqueue::time_point expires);
    [[nodiscard]] libqueue::report list_audit(const libqueue::audit_filter& filter);
    [[nodiscard]] libqueue::result<libqueue::report> verify_audit(
        std::optional<std::int64_t> anchor_id, std::string_view anchor_hash);
    [[nodiscard]] libqueue::result<std::int64_t> prune_audit(std::chrono::seconds age);
    [[nodiscard]] libqueue::result<void> install_roles();
    [[nodiscard]] libqueue::report list_roles();

   private:
    context& with_;
};

}  // namespace qctl
