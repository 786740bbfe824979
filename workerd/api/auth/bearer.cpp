#include "auth/authenticator.hpp"

namespace workerd::api {

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
