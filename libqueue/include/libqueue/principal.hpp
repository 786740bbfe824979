#pragma once

#include <libqueue/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace libqueue {

/// What somebody may do, from least to most: each role may do what the ones before it may.
enum class role {
    viewer,   ///< looks at everything but tokens, audit and settings; changes nothing
    operate,  ///< "operator": acts on single jobs, alerts and deliveries
    admin,    ///< everything
};

/// "viewer", "operator", "admin".
[[nodiscard]] std::string_view to_string(role value) noexcept;
[[nodiscard]] std::optional<role> parse_role(std::string_view text) noexcept;

/// On whose behalf something is asked for or done: see `client::act_as`.
class principal {
   public:
    principal() = default;
    explicit principal(std::string actor_, libqueue::role role_ = role::viewer,
                       std::optional<std::string> tenant_id_ = std::nullopt,
                       std::string request_id_ = {})
        : actor{std::move(actor_)},
          role{role_},
          tenant_id{std::move(tenant_id_)},
          request_id{std::move(request_id_)} {}

    std::string actor;  ///< who, as the audit names them: 1 to 200 bytes, no personal data
    libqueue::role role{libqueue::role::viewer};
    /// UUID text: sees and changes this tenant's rows only. Empty: those of all tenants.
    std::optional<std::string> tenant_id;
    std::string request_id;  ///< of the request it came with, at most 200 bytes; may be empty
};
static_assert(!std::is_aggregate_v<principal>);

}  // namespace libqueue
