#include "processors/support/internal_auth.hpp"

#include "processors/support/crypto.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <stdexcept>
#include <utility>

namespace libqueue::processors {

namespace {

constexpr std::size_t nonce_bytes = 16;
constexpr std::size_t shortest_key = 32;

using std::chrono::system_clock;

bool is_service_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    });
}

void check(std::string_view service, const secret& key) {
    if (!is_service_name(service)) {
        throw std::invalid_argument{
            "internal service: expected a name of 1 to 64 of a-z 0-9 _ . -"};
    }
    if (key.reveal().size() < shortest_key) {
        throw std::invalid_argument{"internal service: expected a key of at least 32 bytes"};
    }
}

std::string signed_text(std::string_view service, std::string_view timestamp,
                        std::string_view nonce, std::string_view method, std::string_view target,
                        std::string_view body_hash) {
    std::string text;
    for (const auto part : {service, timestamp, nonce, method, target}) {
        text += part;
        text += '\n';
    }
    text += body_hash;
    return text;
}

bool is_hex(std::string_view text, std::size_t digits) noexcept {
    return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::optional<std::int64_t> seconds_of(std::string_view text) noexcept {
    std::int64_t seconds = 0;
    const char* const begin = std::to_address(text.begin());
    const auto [stop, failed] = std::from_chars(begin, begin + text.size(), seconds);
    if (failed != std::errc{} || stop != begin + text.size() || text.size() > 12) {
        return std::nullopt;
    }
    return seconds;
}

error refusal(const char* why) {
    return error{errc::invalid_argument, std::string{"internal call: "} + why};
}

}  // namespace

internal_signer::internal_signer(std::string service, secret key)
    : service_{std::move(service)}, key_{std::move(key)} {
    check(service_, key_);
}

void internal_signer::sign(http_request& request, std::string_view target,
                           system_clock::time_point now) const {
    const auto timestamp =
        std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    const auto nonce = hex_text(random_bytes(nonce_bytes));
    const auto hash = sha256_hex(request.body);
    request.set("x-internal-service", service_);
    request.set("x-internal-timestamp", timestamp);
    request.set("x-internal-nonce", nonce);
    request.set("x-internal-body-hash", hash);
    request.set("x-internal-signature",
                hmac_sha256_hex(key_.reveal(), signed_text(service_, timestamp, nonce,
                                                           request.method, target, hash)));
}

internal_verifier::internal_verifier(std::chrono::seconds window, std::size_t most_nonces)
    : window_{window}, most_nonces_{most_nonces} {}

void internal_verifier::allow(std::string service, secret key) {
    check(service, key);
    const std::lock_guard lock{mutex_};
    keys_.emplace(std::move(service), std::move(key));
}

bool internal_verifier::signature_fits(const std::string& service, std::string_view text,
                                       std::string_view signature) const {
    bool fits = false;
    const auto [first, last] = keys_.equal_range(service);
    for (auto one = first; one != last; ++one) {
        // No early end: how many keys there are is no secret, which of them fits need not be told.
        fits |= equal_in_constant_time(hmac_sha256_hex(one->second.reveal(), text), signature);
    }
    return fits;
}

result<void> internal_verifier::remember(const std::string& nonce, system_clock::time_point now) {
    while (!ages_.empty() && ages_.front().first < now) {
        nonces_.erase(ages_.front().second);
        ages_.pop_front();
    }
    if (nonces_.contains(nonce)) {
        return refusal("the nonce came before");
    }
    if (nonces_.size() >= most_nonces_) {
        return refusal("too many calls within the window");
    }
    nonces_.insert(nonce);
    // A time from the window's far end stays valid for twice its length.
    ages_.emplace_back(now + 2 * window_, nonce);
    return {};
}

result<std::string> internal_verifier::verify(const received_call& call,
                                              system_clock::time_point now) {
    const auto service = call.header("x-internal-service");
    const auto timestamp = call.header("x-internal-timestamp");
    const auto nonce = call.header("x-internal-nonce");
    const auto hash = call.header("x-internal-body-hash");
    const auto signature = call.header("x-internal-signature");
    const auto seconds = seconds_of(timestamp);
    if (service.empty() || !seconds || !is_hex(nonce, 2 * nonce_bytes) || !is_hex(hash, 64) ||
        !is_hex(signature, 64)) {
        return refusal("a header is missing or malformed");
    }
    const std::lock_guard lock{mutex_};
    if (!keys_.contains(service)) {
        return refusal("the service is not allowed to call");
    }
    // In seconds: of a time far away the clock's own unit would overflow.
    const auto age = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() -
                     std::chrono::seconds{*seconds};
    if (age > window_ || age < -window_) {
        return refusal("the time is outside the window");
    }
    if (!equal_in_constant_time(hash, sha256_hex(call.body))) {
        return refusal("the body is not the one that was signed");
    }
    const auto text = signed_text(service, timestamp, nonce, call.method, call.target, hash);
    if (!signature_fits(service, text, signature)) {
        return refusal("the signature does not fit");
    }
    // Last, so that nobody without a key can fill the memory.
    if (const auto fresh = remember(nonce, now); !fresh) {
        return fresh.error();
    }
    return service;
}

}  // namespace libqueue::processors
