#include "processors/webhook/payload.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using libqueue::processors::webhook::delivery_payload;
using libqueue::processors::webhook::url_rules;

const url_rules https_only{false, true};
const url_rules with_http{true, true};

std::string with_url(const std::string& url) {
    return R"({"event": "e", "url": ")" + url + R"("})";
}

std::string with_headers(const std::string& headers) {
    return R"({"event": "e", "url": "https://a.test/", "headers": )" + headers + "}";
}

}  // namespace

TEST_SUITE("processors: webhook payload") {
    TEST_CASE("parse: reads every field") {
        const auto payload = delivery_payload::parse(
            R"({"url": "https://a.test:8443/hook?x=1", "event": "order.paid", "data": {"n": 1.50},
                "headers": {"X-Tenant": "7"}, "timeout_ms": 1500})",
            https_only);
        REQUIRE(payload.has_value());
        CHECK(payload->data == R"({"n": 1.50})");
        CHECK(payload->headers.front().first == "X-Tenant");
        CHECK(payload->timeout->count() == 1500);
    }

    TEST_CASE("parse: refuses URLs that are not https to a host") {
        for (const std::string url :
             {"", "x", "http://a.test/", "ftp://a.test/", "file:///etc/passwd", "https://",
              "https://user@a.test/", "https://user:word@a.test/", "https://:word@a.test/",
              "gopher://a.test/", "//a.test/", "https://a.test/\\r\\nx: y", "https://a b/",
              "javascript:alert(1)", "smtp://a.test/", "dict://a.test/", "https://a.test:99999/",
              "https://[::1/"}) {
            CAPTURE(url);
            CHECK(delivery_payload::parse(with_url(url), https_only).has_error());
        }
        CHECK(delivery_payload::parse(with_url("https://" + std::string(3000, 'a')), https_only)
                  .has_error());
        CHECK(delivery_payload::parse(with_url("http://a.test/"), with_http).has_value());
        CHECK(delivery_payload::parse(with_url("ftp://a.test/"), with_http).has_error());
    }

    TEST_CASE("parse: refuses headers that would inject, frame or impersonate") {
        for (const std::string headers : {R"({"a\r\nb": "c"})",
                                          R"({"a": "b\r\nc: d"})",
                                          R"({"a": "b\nc"})",
                                          R"({"a": "b\rc"})",
                                          R"({"a": "b\u0000c"})",
                                          R"({"a b": "c"})",
                                          R"({"a:": "c"})",
                                          R"({"": "c"})",
                                          R"({"Host": "x"})",
                                          R"({"content-length": "3"})",
                                          R"({"Content-Type": "text/html"})",
                                          R"({"Transfer-Encoding": "chunked"})",
                                          R"({"connection": "close"})",
                                          R"({"Webhook-Id": "x"})",
                                          R"({"webhook-signature": "x"})",
                                          R"({"webhook-anything": "x"})",
                                          R"({"Expect": "100-continue"})",
                                          R"({"traceparent": "x"})",
                                          R"({"ü": "x"})",
                                          R"({"a": "\u007f"})"}) {
            CAPTURE(headers);
            CHECK(delivery_payload::parse(with_headers(headers), https_only).has_error());
        }
        CHECK(delivery_payload::parse(with_headers(R"({"Authorization": "Bearer x"})"), https_only)
                  .has_value());
    }

    TEST_CASE("parse: the error names the fields and no content") {
        const auto payload = delivery_payload::parse(
            R"({"url": "http://canary.test/", "data": "canary", "timeout_ms": "canary"})",
            https_only);
        REQUIRE(payload.has_error());
        const auto& message = payload.error().message;
        CHECK(message.find("payload.url: expected https://") != std::string::npos);
        CHECK(message.find("payload.event: expected a string, got nothing") != std::string::npos);
        CHECK(message.find("payload.timeout_ms: expected an integer") != std::string::npos);
        CHECK(message.find("canary") == std::string::npos);
    }
}
