#include "asset_server.hpp"

#include "embedded_assets.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

namespace workerd::dashboard {

namespace {

namespace http = boost::beast::http;

// As in src/main.tsx.
constexpr std::array<std::string_view, 14> screens{
    "alerts",     "audit",  "batches",   "database", "failures", "integrations", "jobs",
    "operations", "queues", "schedules", "settings", "workers",  "workflows",    ""};

constexpr std::string_view base_mark{"<base href=\"/\""};

std::string_view as_view(boost::core::string_view text) {
    return {text.data(), text.size()};
}

const asset* find_asset(std::string_view path) {
    const auto all = embedded_assets();
    const auto found = std::ranges::find(all, path, &asset::path);
    return found == all.end() ? nullptr : &*found;
}

/// Whether a list such as "gzip;q=0.8, br" or "\"a\", W/\"b\"" names `wanted`. A q of 0 refuses.
bool names(std::string_view list, std::string_view wanted) {
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        auto item = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
        const auto parameters = item.substr(std::min(item.find(';'), item.size()));
        auto name = item.substr(0, item.find_first_of("; \t"));
        if (name.starts_with("W/"))
            name.remove_prefix(2);
        const bool is_refused = parameters.find("q=0") != std::string_view::npos &&
                                parameters.find_first_of("123456789") == std::string_view::npos;
        if ((name == wanted || name == "*") && !is_refused)
            return true;
    }
    return false;
}

http_response response_to(const http_request& request, http::status status) {
    http_response made{status, request.version()};
    made.set("X-Content-Type-Options", "nosniff");
    made.set("X-Frame-Options", "DENY");
    made.set("Referrer-Policy", "no-referrer");
    made.set("Cross-Origin-Opener-Policy", "same-origin");
    made.set("Cross-Origin-Resource-Policy", "same-origin");
    made.set("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
    made.set("Content-Security-Policy", content_security_policy);
    made.keep_alive(request.keep_alive());
    return made;
}

http_response refusal(const http_request& request, http::status status, std::string_view why) {
    auto made = response_to(request, status);
    made.set(http::field::content_type, "text/plain; charset=utf-8");
    made.set(http::field::cache_control, "no-store");
    made.body() = why;
    made.prepare_payload();
    return made;
}

/// The content, or 304 to whoever has it already. To HEAD the same head without the content.
http_response content(const http_request& request, std::string_view tag, std::string_view type,
                      std::string_view cache, std::string_view body) {
    const bool is_known =
        names(as_view(request[http::field::if_none_match]), std::string{'"'}.append(tag) + '"');
    auto made = response_to(request, is_known ? http::status::not_modified : http::status::ok);
    made.set(http::field::etag, std::string{'"'}.append(tag) + '"');
    made.set(http::field::cache_control, cache);
    made.set(http::field::vary, "Accept-Encoding");
    if (is_known)
        return made;
    made.set(http::field::content_type, type);
    if (request.method() == http::verb::head) {
        made.content_length(body.size());
        return made;
    }
    made.body() = body;
    made.prepare_payload();
    return made;
}

http_response file(const http_request& request, const asset& of) {
    constexpr std::string_view for_ever{"public, max-age=31536000, immutable"};
    const bool is_packed = of.packed.size() < of.plain.size() &&
                           names(as_view(request[http::field::accept_encoding]), "gzip");
    const auto tag = std::string{of.digest} + (is_packed ? "-gz" : "");
    auto made = content(request, tag, of.content_type, for_ever, is_packed ? of.packed : of.plain);
    if (is_packed && made.result() == http::status::ok)
        made.set(http::field::content_encoding, "gzip");
    return made;
}

}  // namespace

bool is_screen(std::string_view path) noexcept {
    if (!path.starts_with('/'))
        return false;
    const auto name = path.substr(1, path.substr(1).find('/'));
    return std::ranges::find(screens, name) != screens.end() && (!name.empty() || path == "/");
}

asset_server::asset_server(std::string_view base_path) {
    const auto* index = find_asset("/index.html");
    page_ = index->plain;
    const auto at = page_.find(base_mark);
    page_.replace(at, base_mark.size(), "<base href=\"" + std::string{base_path} + '"');
    page_tag_ =
        std::string{index->digest} + '-' + std::to_string(std::hash<std::string_view>{}(base_path));
}

http_response asset_server::answer(const http_request& request) const {
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
        auto made = refusal(request, http::status::method_not_allowed, "expected GET or HEAD\n");
        made.set(http::field::allow, "GET, HEAD");
        return made;
    }
    const auto target = as_view(request.target());
    const auto path = target.substr(0, target.find('?'));
    if (path == "/index.html" || is_screen(path))
        return page(request);
    if (const auto* found = find_asset(path); found != nullptr)
        return file(request, *found);
    return refusal(request, http::status::not_found, "no such page\n");
}

/// Never from a cache without asking: its names change with every release.
http_response asset_server::page(const http_request& request) const {
    return content(request, page_tag_, "text/html; charset=utf-8", "no-cache", page_);
}

}  // namespace workerd::dashboard
