#include "auth/authenticator.hpp"

#include "auth/jwt.hpp"

#include <libqueue/access.hpp>

#include <openssl/evp.h>

#include <array>
#include <utility>

namespace workerd::api {

namespace {

constexpr std::chrono::seconds remembered{5};
constexpr std::size_t known_max = 10'000;
constexpr std::string_view api_token_prefix{"lq_"};

std::string hash_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    static_cast<void>(
        EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr));
    return std::string{digest.begin(), digest.begin() + length};
}

libqueue::time_point now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
}

}  // namespace

std::optional<caller> authenticator::find(std::string_view token, libqueue::client& database) {
    const auto key = hash_of(token);
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

std::optional<caller> authenticator::ask(std::string_view token, libqueue::client& database) {
    if (!token.starts_with(api_token_prefix))
        return jwt_ ? jwt_->verify(token, now()) : std::nullopt;
    const auto holder = libqueue::access_control{database}.find_token(token);
    if (holder.has_error())
        return std::nullopt;
    caller found;
    found.who = holder->who;
    found.expires = holder->expires_at;
    return found;
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme{"bearer "};
    constexpr std::size_t longest = 8 << 10;
    if (authorization.size() <= scheme.size() || authorization.size() > longest)
        return std::nullopt;
    for (std::size_t i = 0; i < scheme.size(); ++i) {
        const char c = authorization[i];
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        if (lower != scheme[i])
            return std::nullopt;
    }
    authorization.remove_prefix(scheme.size());
    // b64token of RFC 6750.
    constexpr std::string_view letters{
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="};
    if (authorization.find_first_not_of(letters) != std::string_view::npos)
        return std::nullopt;
    return authorization;
}

}  // namespace workerd::api
