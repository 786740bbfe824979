#include "auth/jwt.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// The fuzzer has none of our keys, so nothing it makes may be taken; it finds its way through the
// reading of headers and claims all the same.

namespace api = workerd::api;

namespace {

api::jwt_verifier made() {
    api::jwt_rules rules;
    rules.issuer = "https://id.example.com";
    rules.audience = "libqueue";
    rules.keys.emplace_back("shared", "HS256", "0123456789abcdef0123456789abcdef");
    return api::jwt_verifier{std::move(rules)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const api::jwt_verifier verifier = made();
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    static_cast<void>(api::bearer_token(text));
    const libqueue::time_point now{std::chrono::seconds{1'800'000'000}};
    if (verifier.verify(text, now))
        std::abort();
    return 0;
}
