#include "processors/webhook/payload.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

namespace libqueue::processors::webhook {

namespace {

constexpr std::size_t longest_url = 2048;
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

void check_url(payload_reader& reader, const std::string& url, bool allow_http) {
    class parts_deleter {
       public:
        void operator()(CURLU* parts) const noexcept { curl_url_cleanup(parts); }
    };
    const std::unique_ptr<CURLU, parts_deleter> parts{curl_url()};
    if (url.size() > longest_url || has_control_characters(url) || !parts ||
        curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
        reader.fault("url", "expected a URL of at most 2048 characters");
        return;
    }
    const auto part = [&parts](CURLUPart which) {
        char* text = nullptr;
        curl_url_get(parts.get(), which, &text, 0);
        std::string copy{text == nullptr ? "" : text};
        curl_free(text);
        return copy;
    };
    const auto scheme = part(CURLUPART_SCHEME);
    if (scheme != "https" && !(allow_http && scheme == "http")) {
        reader.fault("url", allow_http ? "expected https:// or http://" : "expected https://");
    }
    if (part(CURLUPART_HOST).empty()) {
        reader.fault("url", "expected a host name");
    }
    if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty()) {
        reader.fault("url", "must not carry a user name or password");
    }
}

}  // namespace

result<delivery_payload> delivery_payload::parse(std::string_view json, bool allow_http) {
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
        check_url(reader, payload.url, allow_http);
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
