#include "negotiation.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace workerd::api {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t id_max = 64;

bool is_id_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "application/json" of " application/JSON; charset=utf-8".
std::string media_type(std::string_view text) {
    return lower(trimmed(text.substr(0, std::min(text.find(';'), text.size()))));
}

bool accepts(std::string_view header_text, std::string_view type) {
    if (trimmed(header_text).empty())
        return true;
    const auto family = std::string{type.substr(0, type.find('/'))} + "/*";
    while (true) {
        const auto comma = header_text.find(',');
        const auto part = media_type(header_text.substr(0, comma));
        if (part == "*/*" || part == type || part == family)
            return true;
        if (comma == std::string_view::npos)
            return false;
        header_text.remove_prefix(comma + 1);
    }
}

std::string_view type_of(shape answers) {
    switch (answers) {
        case shape::lines:
            return "application/x-ndjson";
        case shape::events:
            return "text/event-stream";
        case shape::object:
        case shape::list:
        case shape::nothing:
            return "application/json";
    }
    return "application/json";
}

bool is_listed(std::string_view origin, const std::vector<std::string>& origins) {
    return !origin.empty() && std::ranges::find(origins, origin) != origins.end();
}

std::string listed(const std::vector<verb>& methods) {
    std::string text;
    for (const auto each : methods) {
        text += (text.empty() ? "" : ", ") + std::string{to_string(each)};
        text += each == verb::get ? ", HEAD" : "";
    }
    return text + (text.empty() ? "OPTIONS" : ", OPTIONS");
}

}  // namespace

std::string random_id() {
    std::array<unsigned char, 16> bytes{};
    static_cast<void>(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())));
    constexpr std::string_view digits{"0123456789abcdef"};
    std::string text;
    for (const auto byte : bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

std::string_view header(const http_request& request, std::string_view name) {
    const auto value = request[boost::beast::string_view{name.data(), name.size()}];
    return {value.data(), value.size()};
}

std::string request_id_of(const http_request& request) {
    const auto given = header(request, "X-Request-Id");
    const bool fits =
        !given.empty() && given.size() <= id_max && std::ranges::all_of(given, is_id_char);
    return fits ? std::string{given} : random_id();
}

void check_media(const http_request& request, const route& to) {
    const auto encoding = lower(trimmed(header(request, "Content-Encoding")));
    if (!encoding.empty() && encoding != "identity")
        refuse(415, "unsupported_media_type", "expected a body without Content-Encoding");
    const auto type = media_type(header(request, "Content-Type"));
    if (!request.body().empty() && type != "application/json")
        refuse(415, "unsupported_media_type", "expected Content-Type application/json");
    const auto gives = type_of(to.answers);
    if (!accepts(header(request, "Accept"), gives) &&
        !accepts(header(request, "Accept"), "application/problem+json"))
        refuse(406, "not_acceptable", "this route gives " + std::string{gives});
}

std::string_view method_name(http::verb method) {
    switch (method) {
        case http::verb::get:
        case http::verb::head:
        case http::verb::post:
        case http::verb::put:
        case http::verb::patch:
        case http::verb::delete_:
        case http::verb::options: {
            const auto text = http::to_string(method);
            return {text.data(), text.size()};
        }
        default:
            return "other";
    }
}

std::optional<verb> verb_of(http::verb method) {
    switch (method) {
        case http::verb::get:
        case http::verb::head:
            return verb::get;
        case http::verb::post:
            return verb::post;
        case http::verb::put:
            return verb::put;
        case http::verb::delete_:
            return verb::remove;
        default:
            return std::nullopt;
    }
}

void add_safe_headers(http_response& head, bool secure) {
    const auto add = [&](boost::beast::string_view name, boost::beast::string_view value) {
        if (head.find(name) == head.end())
            head.set(name, value);
    };
    add("Cache-Control", "no-store");
    add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    add("Cross-Origin-Resource-Policy", "same-origin");
    add("Referrer-Policy", "no-referrer");
    add("X-Content-Type-Options", "nosniff");
    add("X-Frame-Options", "DENY");
    if (secure)
        add("Strict-Transport-Security", "max-age=31536000");
}

void add_cors_headers(http_response& head, const http_request& request,
                      const std::vector<std::string>& origins) {
    if (origins.empty())
        return;
    // Whoever answered may have named others: an asset depends on Accept-Encoding, too.
    const auto varies = head[http::field::vary];
    head.set(http::field::vary, varies.empty() ? "Origin" : std::string{varies} + ", Origin");
    const auto origin = header(request, "Origin");
    if (!is_listed(origin, origins))
        return;
    head.set(http::field::access_control_allow_origin,
             boost::beast::string_view{origin.data(), origin.size()});
    head.set("Cross-Origin-Resource-Policy", "cross-origin");
    head.set(http::field::access_control_expose_headers,
             "ETag, Location, Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, "
             "X-RateLimit-Reset");
}

answer answer_options(const http_request& request, const std::vector<verb>& methods,
                      const std::vector<std::string>& origins) {
    answer made{204};
    const auto allowed = listed(methods);
    made.with("Allow", allowed);
    const bool asks = !header(request, "Access-Control-Request-Method").empty();
    if (asks && is_listed(header(request, "Origin"), origins)) {
        made.with("Access-Control-Allow-Methods", allowed);
        made.with("Access-Control-Allow-Headers",
                  "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID, "
                  "X-Request-Id, traceparent, tracestate");
        made.with("Access-Control-Max-Age", "600");
    }
    return made;
}

http_response to_response(const answer& from) {
    http_response response{static_cast<http::status>(from.status), 11};
    if (from.status != 204)
        response.set(http::field::content_type, from.content_type);
    for (const auto& [name, value] : from.headers)
        response.set(name, value);
    if (from.events)
        return response;
    response.body() = from.body;
    response.prepare_payload();
    return response;
}

answer to_answer(const problem& why, const std::string& request_id) {
    answer made{why.status, problem_text(why, request_id), "application/problem+json"};
    if (why.retry_after)
        made.with("Retry-After", std::to_string(*why.retry_after));
    for (const auto& [name, value] : why.headers)
        made.with(name, value);
    return made;
}

}  // namespace workerd::api
