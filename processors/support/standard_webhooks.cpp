#include "processors/support/standard_webhooks.hpp"

#include "processors/support/crypto.hpp"

#include <openssl/crypto.h>

#include <charconv>
#include <memory>

namespace libqueue::processors::standard_webhooks {

namespace {

constexpr std::string_view key_prefix{"whsec_"};
constexpr std::size_t smallest_key = 24;
constexpr std::size_t largest_key = 64;

error invalid(std::string message, std::string hint = {}) {
    return error{errc::invalid_argument, std::move(message), std::move(hint)};
}

}  // namespace

result<signing_key> signing_key::parse(std::string_view text) {
    const std::string hint{"generate one: echo whsec_$(openssl rand -base64 32)"};
    if (!text.starts_with(key_prefix)) {
        return invalid("webhook secret: expected whsec_ followed by base64", hint);
    }
    auto bytes = base64_decode(text.substr(key_prefix.size()));
    if (!bytes) {
        return invalid("webhook secret: what follows whsec_ is not base64", hint);
    }
    const auto size = bytes->size();
    signing_key key{secret{*bytes}};
    OPENSSL_cleanse(bytes->data(), bytes->size());
    if (size < smallest_key || size > largest_key) {
        return invalid("webhook secret: expected 24 to 64 bytes, got " + std::to_string(size),
                       hint);
    }
    return key;
}

std::string signature(const signing_key& key, std::string_view id,
                      std::chrono::sys_seconds timestamp, std::string_view body) {
    LIBQUEUE_ASSERT(id.find('.') == std::string_view::npos);
    std::string text{id};
    text += '.';
    text += std::to_string(timestamp.time_since_epoch().count());
    text += '.';
    text += body;
    return "v1," + base64_encode(hmac_sha256(key.bytes(), text));
}

std::string signature_header(std::span<const signing_key> keys, std::string_view id,
                             std::chrono::sys_seconds timestamp, std::string_view body) {
    std::string header;
    for (const auto& key : keys) {
        if (!header.empty()) {
            header += ' ';
        }
        header += signature(key, id, timestamp, body);
    }
    return header;
}

result<void> verify(std::span<const signing_key> keys, const received_headers& headers,
                    std::string_view body, std::chrono::sys_seconds now,
                    std::chrono::seconds tolerance) {
    if (headers.id.empty() || headers.id.find('.') != std::string_view::npos) {
        return invalid("webhook-id: expected an id without dots");
    }
    std::int64_t seconds = 0;
    const char* const begin = std::to_address(headers.timestamp.begin());
    const char* const end = begin + headers.timestamp.size();
    const auto [stop, failed] = std::from_chars(begin, end, seconds);
    // The bound keeps the arithmetic below from overflowing; it is the year 9999.
    if (failed != std::errc{} || stop != end || seconds < 0 || seconds > 253'402'300'799) {
        return invalid("webhook-timestamp: expected seconds since 1970");
    }
    const std::chrono::sys_seconds sent{std::chrono::seconds{seconds}};
    if (sent < now - tolerance || sent > now + tolerance) {
        return invalid("webhook-timestamp: too far from our clock",
                       "check the clocks of both machines; old messages are refused");
    }
    bool matched = false;
    for (const auto& key : keys) {
        const auto expected = signature(key, headers.id, sent, body);
        auto rest = headers.signature;
        while (!rest.empty()) {
            const auto space = rest.find(' ');
            // No early exit: how long this takes says nothing about which signature fitted.
            matched |= equal_in_constant_time(rest.substr(0, space), expected);
            rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
        }
    }
    if (!matched) {
        return invalid("webhook-signature: none of the signatures fits");
    }
    return {};
}

}  // namespace libqueue::processors::standard_webhooks
