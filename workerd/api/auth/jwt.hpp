#pragma once

#include "auth/authenticator.hpp"

#include <libqueue/job.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace workerd::api {

/// A key tokens may be signed with.
class jwt_key {
   public:
    jwt_key(std::string id_, std::string algorithm_, std::string key_)
        : id{std::move(id_)}, algorithm{std::move(algorithm_)}, key{std::move(key_)} {}
    std::string id;         ///< `kid`
    std::string algorithm;  ///< HS256 ... ES512: the only one this key is for
    std::string key;        ///< the secret, or the public key in PEM
};

class jwt_rules {
   public:
    jwt_rules() = default;
    std::string issuer;
    std::string audience;
    std::chrono::seconds leeway{10};
    std::chrono::seconds most_life{86'400};
    std::string role_claim{"role"};
    std::string tenant_claim{"tenant_id"};
    bool tenant_required = true;
    std::vector<std::string> admin_roles{"admin"};
    std::vector<std::string> operator_roles{"operator"};
    std::vector<std::string> viewer_roles{"viewer"};
    std::vector<jwt_key> keys;
};

/// Verifies JSON Web Tokens (RFC 7519, with the advice of RFC 8725). What a token says about its
/// own verification is never followed: `kid` picks one of our keys by exact name, that key has one
/// algorithm, and the header's `alg` is only compared with it. exp, nbf, iat, iss, aud, sub and jti
/// are required. Immutable; any thread.
class jwt_verifier {
   public:
    /// Throws std::runtime_error that names the key: an algorithm not known, a secret shorter than
    /// the algorithm's hash, a public key that cannot be read, is of another kind or too small.
    explicit jwt_verifier(jwt_rules rules);

    /// Who holds it; nothing for whatever is not beyond doubt. `jti` comes with it for the list of
    /// revoked tokens, which is the caller's to ask.
    [[nodiscard]] std::optional<caller> verify(std::string_view token,
                                               libqueue::time_point now) const;

    [[nodiscard]] const std::string& issuer() const noexcept { return rules_.issuer; }

   private:
    jwt_rules rules_;
    std::map<std::string, jwt_key, std::less<>> keys_;
};

}  // namespace workerd::api
