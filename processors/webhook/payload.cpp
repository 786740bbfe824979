#include "processors/webhook/payload.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

#include <algorithm>
#include <array>

namespace libqueue::processors::webhook {

namespace {

constexpr std::size_t longest_event = 256;
constexpr std::size_t most_headers = 32;
constexpr std::size_t longest_value = 4096;

/// What we set ourselves, what frames the message and what belongs to one hop.
constexpr std::array<std::string_view, 15> reserved_headers{"host",
                                                            "content-length",
                                                            "content-type",
                                                            "content-encoding",
                                                            "transfer-encoding",
                                                            "connection",
                                                            "keep-alive",
                                                            "te",
                                                            "trailer",
                                                            "upgrade",
                                                            "expect",
                                                            "user-agent",
                                                            "proxy-connection",
                                                            "proxy-authorization",
                                                            "traceparent"};

bool is_reserved(const std::string& lower) {
    return lower.starts_with("webhook-") ||
           std::find(reserved_headers.begin(), reserved_headers.end(), lower) !=
               reserved_headers.end();
}

void check_headers(payload_reader& reader, const delivery_payload& payload) {
    if (payload.headers.size() > most_headers) {
        reader.fault("headers", "expected at most 32");
    }
    for (const auto& [name, value] : payload.headers) {
        if (!is_token(name)) {
            reader.fault("headers", "a name has characters that header names cannot have");
        } else if (is_reserved(to_lower(name))) {
            reader.fault("headers", "a name is reserved (" + to_lower(name) + ")");
        } else if (has_control_characters(value) || value.size() > longest_value) {
            reader.fault("headers", "a value has control characters or is over 4 KiB");
        }
    }
}

}  // namespace

result<delivery_payload> delivery_payload::parse(std::string_view json, const url_rules& rules) {
    payload_reader reader{json};
    delivery_payload payload;
    payload.url = reader.text("url");
    payload.event = reader.text("event");
    payload.data = std::string{reader.raw("data")};
    payload.headers = reader.text_map("headers");
    if (const auto ms = reader.optional_integer("timeout_ms", 1, 600'000)) {
        payload.timeout = std::chrono::milliseconds{*ms};
    }
    if (!payload.url.empty()) {
        if (const auto fault = url_fault(payload.url, rules); !fault.empty()) {
            reader.fault("url", fault);
        }
    }
    if (payload.event.size() > longest_event || has_control_characters(payload.event)) {
        reader.fault("event", "expected at most 256 characters without control characters");
    }
    if (reader.ok()) {
        check_headers(reader, payload);
    }
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    return payload;
}

}  // namespace libqueue::processors::webhook
