#pragma once

#include <libqueue/client.hpp>
#include <libqueue/principal.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace workerd::api {

class jwt_verifier;

/// Somebody who has proved who they are.
class caller {
   public:
    caller() = default;
    libqueue::principal who;
    std::optional<libqueue::time_point> expires;  ///< of the token
    std::string token_id;                         ///< `jti` of a JWT
    bool is_user = false;                         ///< a JWT's subject; else an API token
};

/// Finds out whose a presented token is: an API token of the database, or a JWT. Remembers holders
/// for five seconds at most, so that a revocation holds after that everywhere. Thread-safe.
class authenticator {
   public:
    /// `jwt` may be null: JWTs are not accepted then.
    explicit authenticator(std::shared_ptr<const jwt_verifier> jwt) : jwt_{std::move(jwt)} {}

    /// From now on these keys count; whom it remembers is asked for anew.
    void use(std::shared_ptr<const jwt_verifier> jwt);

    /// Nothing when the token is not good. Asks the database, as the connection's own role.
    [[nodiscard]] std::optional<caller> find(std::string_view token, libqueue::client& database);

   private:
    using clock = std::chrono::steady_clock;
    class memory {
       public:
        caller who;
        clock::time_point until{};
    };

    [[nodiscard]] static std::optional<caller> ask_jwt(const jwt_verifier& jwt,
                                                       std::string_view token,
                                                       libqueue::client& database);
    [[nodiscard]] std::shared_ptr<const jwt_verifier> verifier();
    [[nodiscard]] std::optional<caller> ask(std::string_view token, libqueue::client& database);

    std::mutex mutex_;
    std::shared_ptr<const jwt_verifier> jwt_;  // shared with whoever made it and who verifies now
    std::map<std::string, memory, std::less<>> known_;  // by the token's hash
};

/// The token of "Bearer <token>"; nothing for anything else.
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view authorization);

}  // namespace workerd::api
