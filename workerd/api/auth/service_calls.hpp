#pragma once

#include "auth/authenticator.hpp"
#include "processors/support/internal_auth.hpp"

#include <libqueue/client.hpp>
#include <libqueue/principal.hpp>

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace workerd::api {

/// A service that may call, and what it may do.
class known_service {
   public:
    known_service(std::string name_, std::vector<std::string> keys_, libqueue::role role_,
                  std::optional<std::string> tenant_id_)
        : name{std::move(name_)},
          keys{std::move(keys_)},
          role{role_},
          tenant_id{std::move(tenant_id_)} {}
    std::string name;
    std::vector<std::string> keys;  ///< either is good (rotation)
    libqueue::role role;
    std::optional<std::string> tenant_id;  ///< none: all tenants
};
static_assert(!std::is_aggregate_v<known_service>);

/// Services of the platform that sign their requests instead of carrying a token: the headers
/// x-internal-* of processors/support/internal_auth.hpp. Thread-safe.
class service_calls {
   public:
    /// Throws std::invalid_argument for a name or key that cannot be used.
    explicit service_calls(const std::vector<known_service>& services);

    /// Who signed the call; nothing when it is not good. Each signature is good once: within the
    /// window this process remembers it, and for calls that change something (`changes`) the
    /// database does for all processes.
    [[nodiscard]] std::optional<caller> find(const libqueue::processors::received_call& call,
                                             bool changes, libqueue::client& database);

   private:
    libqueue::processors::internal_verifier verifier_;
    std::map<std::string, libqueue::principal, std::less<>> who_;
};

}  // namespace workerd::api
