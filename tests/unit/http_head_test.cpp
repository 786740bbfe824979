#include "net/http_head.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

// 0: taken; else the status it is refused with, 400 for what never becomes a head.
int judged(const std::string& text) {
    const auto end = workerd::head_end(text);
    if (end == std::string::npos)
        return 400;
    REQUIRE(end > 0);
    return workerd::check_head(std::string_view{text}.substr(0, end)).status;
}

int with_fields(const std::string& fields) {
    return judged("POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
}

int with_line(const std::string& line) {
    return judged(line + "\r\nHost: a\r\n\r\n");
}

}  // namespace

TEST_SUITE("http head") {
    TEST_CASE("http head: takes what browsers, curl and proxies send") {
        CHECK(with_line("GET / HTTP/1.1") == 0);
        CHECK(with_line("GET /a%20b?x=1&y=%C3%A9 HTTP/1.1") == 0);
        CHECK(with_line("OPTIONS * HTTP/1.1") == 0);
        CHECK(judged("GET /health/live HTTP/1.0\r\n\r\n") == 0);
        CHECK(with_fields("Content-Length: 12\r\nContent-Type: application/json\r\n") == 0);
        CHECK(with_fields("Transfer-Encoding: chunked\r\n") == 0);
        CHECK(with_fields("transfer-encoding:\tChunked \r\n") == 0);
        CHECK(with_fields("Accept: a\r\nAccept: b\r\nCookie: x=y\r\n") == 0);
        CHECK(with_fields("X-Empty:\r\n") == 0);
        CHECK(judged("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n") == 0);
    }

    TEST_CASE("http head: refuses two lengths and a length beside an encoding") {
        CHECK(with_fields("Content-Length: 5\r\nContent-Length: 5\r\n") == 400);
        CHECK(with_fields("Content-Length: 5\r\nContent-Length: 6\r\n") == 400);
        CHECK(with_fields("Content-Length: 5, 5\r\n") == 400);
        CHECK(with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") == 400);
        CHECK(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n") == 400);
        CHECK(with_fields("Content-Length: +5\r\n") == 400);
        CHECK(with_fields("Content-Length: -1\r\n") == 400);
        CHECK(with_fields("Content-Length: 0x10\r\n") == 400);
        CHECK(with_fields("Content-Length: 5 6\r\n") == 400);
        CHECK(with_fields("Content-Length:\r\n") == 400);
        CHECK(with_fields("Content-Length: 99999999999999999999\r\n") == 400);
    }

    TEST_CASE("http head: refuses every transfer encoding but chunked, once, in HTTP/1.1") {
        CHECK(with_fields("Transfer-Encoding: gzip, chunked\r\n") == 501);
        CHECK(with_fields("Transfer-Encoding: chunked, identity\r\n") == 501);
        CHECK(with_fields("Transfer-Encoding: xchunked\r\n") == 501);
        CHECK(with_fields("Transfer-Encoding: \x0b"
                          "chunked\r\n") == 400);
        CHECK(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
        CHECK(with_fields("Transfer-Encoding: \"chunked\"\r\n") == 501);
        CHECK(judged("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
    }

    TEST_CASE("http head: refuses lines that two readers may split differently") {
        CHECK(with_fields("X: a\nY: b\r\n") == 400);
        CHECK(with_fields("X: a\rY: b\r\n") == 400);
        CHECK(judged("GET / HTTP/1.1\nHost: a\n\n") == 400);
        CHECK(with_fields("X: a\r\n folded\r\n") == 400);
        CHECK(with_fields("X: a\r\n\tfolded\r\n") == 400);
        CHECK(with_fields("Content-Length : 5\r\n") == 400);
        CHECK(with_fields(" Content-Length: 5\r\n") == 400);
        CHECK(with_fields("Content-Length\r\n") == 400);
        CHECK(with_fields(": a\r\n") == 400);
        CHECK(with_fields("X(y): a\r\n") == 400);
        CHECK(with_fields("X\xc3\xa9: a\r\n") == 400);
        CHECK(with_fields(std::string{"X: a\0b\r\n", 8}) == 400);
        CHECK(judged("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    }

    TEST_CASE("http head: refuses request lines that are not METHOD, path and version") {
        CHECK(with_line("GET  / HTTP/1.1") == 400);
        CHECK(with_line("GET /a b HTTP/1.1") == 400);
        CHECK(with_line("GET / HTTP/1.1 ") == 400);
        CHECK(with_line("GET /") == 400);
        CHECK(with_line("G@T / HTTP/1.1") == 400);
        CHECK(with_line("GET http://other/api HTTP/1.1") == 400);
        CHECK(with_line("GET other:80 HTTP/1.1") == 400);
        CHECK(with_line("CONNECT a:443 HTTP/1.1") == 400);
        CHECK(with_line("GET * HTTP/1.1") == 400);
        CHECK(with_line("GET /a#b HTTP/1.1") == 400);
        CHECK(with_line("GET /a\\b HTTP/1.1") == 400);
        CHECK(with_line("GET /\x80 HTTP/1.1") == 400);
        CHECK(with_line("GET / HTTP/2.0") == 505);
        CHECK(with_line("GET / http/1.1") == 400);
        CHECK(with_line("GET /" + std::string(9'000, 'a') + " HTTP/1.1") == 414);
    }

    TEST_CASE("http head: wants one host, and one of each field that decides something") {
        CHECK(judged("GET / HTTP/1.1\r\n\r\n") == 400);
        CHECK(with_fields("Host: b\r\n") == 400);
        CHECK(judged("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") == 400);
        CHECK(judged("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
        CHECK(judged("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 400);
        CHECK(with_fields("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n") == 400);
        CHECK(with_fields("X-Request-Id: a\r\nx-request-id: b\r\n") == 400);
        CHECK(with_fields("Idempotency-Key: a\r\nIdempotency-Key: b\r\n") == 400);
        CHECK(with_fields("Expect: 200-ok\r\n") == 417);
        std::string many;
        for (int i = 0; i < 101; ++i)
            many += "X-" + std::to_string(i) + ": 1\r\n";
        CHECK(with_fields(many) == 431);
    }

    TEST_CASE("http head: is found wherever the bytes were cut") {
        const std::string whole{"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore"};
        for (std::size_t cut = 0; cut + 4 < whole.size(); ++cut)
            CHECK(workerd::head_end(std::string_view{whole}.substr(0, cut)) == 0);
        CHECK(workerd::head_end(whole) == whole.size() - 4);
    }
}
