#include "auth/authenticator.hpp"

#include "auth/jwt.hpp"
#include "sha256.hpp"

#include <libqueue/access.hpp>
#include <libqueue/statement.hpp>
#include <sql/api_find_revoked_jwt.hpp>

#include <utility>

namespace workerd::api {

namespace {

constexpr std::chrono::seconds remembered{5};
constexpr std::size_t known_max = 10'000;
constexpr std::string_view api_token_prefix{"lq_"};

libqueue::time_point now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
}

}  // namespace

std::optional<caller> authenticator::find(std::string_view token, libqueue::client& database) {
    const auto key = sha256_hex(token);
    {
        const std::lock_guard lock{mutex_};
        const auto found = known_.find(key);
        const bool is_fresh = found != known_.end() && found->second.until > clock::now();
        if (is_fresh && (!found->second.who.expires || *found->second.who.expires > now()))
            return found->second.who;
    }
    const auto asked_at = clock::now();
    auto answered = ask(token, database);
    if (answered) {
        const std::lock_guard lock{mutex_};
        if (known_.size() >= known_max)
            known_.clear();
        auto& place = known_[key];
        place.who = *answered;
        place.until = asked_at + remembered;
    }
    return answered;
}

void authenticator::use(std::shared_ptr<const jwt_verifier> jwt) {
    const std::lock_guard lock{mutex_};
    jwt_ = std::move(jwt);
    known_.clear();
}

std::optional<caller> authenticator::ask_jwt(const jwt_verifier& jwt, std::string_view token,
                                             libqueue::client& database) {
    auto found = jwt.verify(token, now());
    if (!found)
        return std::nullopt;
    const auto hash = sha256_hex(jwt.issuer() + '\n' + found->token_id);
    const libqueue::statement asked{std::string{libqueue::sql::api_find_revoked_jwt}, {hash}};
    return database.query(asked).value().empty() ? found : std::nullopt;
}

std::shared_ptr<const jwt_verifier> authenticator::verifier() {
    const std::lock_guard lock{mutex_};
    return jwt_;
}

std::optional<caller> authenticator::ask(std::string_view token, libqueue::client& database) {
    if (!token.starts_with(api_token_prefix)) {
        const auto jwt = verifier();
        return jwt ? ask_jwt(*jwt, token, database) : std::nullopt;
    }
    const auto holder = libqueue::access_control{database}.find_token(token);
    if (holder.has_error())
        return std::nullopt;
    caller found;
    found.who = holder->who;
    found.expires = holder->expires_at;
    return found;
}

}  // namespace workerd::api
