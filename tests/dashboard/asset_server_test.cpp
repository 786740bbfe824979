#include "asset_server.hpp"

#include "embedded_assets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace http = boost::beast::http;
namespace dashboard = workerd::dashboard;

namespace {

workerd::http_response ask(const std::string& target, http::verb method = http::verb::get,
                           const std::string& encodings = {}, const std::string& tag = {},
                           std::string_view base = "/") {
    workerd::http_request request{method, target, 11};
    if (!encodings.empty())
        request.set(http::field::accept_encoding, encodings);
    if (!tag.empty())
        request.set(http::field::if_none_match, tag);
    return dashboard::asset_server{base}.answer(request);
}

std::string header(const workerd::http_response& from, http::field name) {
    return std::string{from[name]};
}

const dashboard::asset& script() {
    const auto all = dashboard::embedded_assets();
    const auto found = std::ranges::find_if(
        all, [](const dashboard::asset& each) { return each.path.ends_with(".js"); });
    REQUIRE(found != all.end());
    return *found;
}

}  // namespace

TEST_SUITE("asset_server") {
    TEST_CASE("asset_server: the address of every screen gives the page, others are not found") {
        for (const char* path : {"/", "/jobs", "/jobs/42", "/queues/a.b", "/failures?filter=x",
                                 "/integrations", "/workflows/7", "/index.html"})
            CHECK_MESSAGE(ask(path).result() == http::status::ok, path);
        for (const char* path : {"/nothing", "//", "//jobs", "/jobs.html", "/app.js", "/../etc",
                                 "/assets/index.html", "jobs", "*", ""})
            CHECK_MESSAGE(ask(path).result() == http::status::not_found, path);
    }

    TEST_CASE("asset_server: the page names files that are served, and runs nothing inline") {
        const auto page = ask("/");

        CHECK(header(page, http::field::content_type) == "text/html; charset=utf-8");
        CHECK(header(page, http::field::cache_control) == "no-cache");
        CHECK(page.body().find("./" + std::string{script().path.substr(1)}) != std::string::npos);
        CHECK(page.body().find("<script>") == std::string::npos);
        CHECK(page.body().find("<style") == std::string::npos);
        CHECK(page.body().find(" on") == std::string::npos);
        const auto policy = std::string{page["Content-Security-Policy"]};
        CHECK(policy.find("default-src 'none'") != std::string::npos);
        CHECK(policy.find("unsafe") == std::string::npos);
        CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
        CHECK(page["X-Content-Type-Options"] == "nosniff");
    }

    TEST_CASE("asset_server: what is mounted below a path says so in the page") {
        const auto page = ask("/jobs", http::verb::get, {}, {}, "/queue/");

        CHECK(page.body().find("<base href=\"/queue/\"") != std::string::npos);
        CHECK(header(page, http::field::etag) != header(ask("/jobs"), http::field::etag));
    }

    TEST_CASE("asset_server: files with a hash in their name are kept for ever, and packed") {
        const std::string path{script().path};
        const auto plain = ask(path);
        const auto packed = ask(path, http::verb::get, "br, gzip;q=0.8");

        CHECK(header(plain, http::field::cache_control) == "public, max-age=31536000, immutable");
        CHECK(plain.body() == script().plain);
        CHECK(header(plain, http::field::content_encoding).empty());
        CHECK(header(packed, http::field::content_encoding) == "gzip");
        CHECK(packed.body() == script().packed);
        CHECK(packed.body().size() < plain.body().size() / 2);
        CHECK(header(packed, http::field::etag) != header(plain, http::field::etag));
        CHECK(header(packed, http::field::vary) == "Accept-Encoding");
        CHECK(ask(path, http::verb::get, "gzip;q=0, br").body() == script().plain);
        CHECK(ask(path, http::verb::get, "xgzip").body() == script().plain);
    }

    TEST_CASE("asset_server: who has it already is told so") {
        const auto tag = header(ask("/"), http::field::etag);

        for (const auto& sent : {tag, "\"x\", W/" + tag, std::string{"*"}}) {
            const auto again = ask("/", http::verb::get, {}, sent);
            CHECK(again.result() == http::status::not_modified);
            CHECK(again.body().empty());
        }
        CHECK(ask("/", http::verb::get, {}, "\"x\"").result() == http::status::ok);
    }

    TEST_CASE("asset_server: HEAD gives the head alone, other methods are refused") {
        const auto head = ask("/", http::verb::head);

        CHECK(head.body().empty());
        CHECK(header(head, http::field::content_length) == std::to_string(ask("/").body().size()));
        const auto refused = ask("/", http::verb::post);
        CHECK(refused.result() == http::status::method_not_allowed);
        CHECK(header(refused, http::field::allow) == "GET, HEAD");
    }
}
