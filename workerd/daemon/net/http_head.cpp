#include "net/http_head.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace workerd {

namespace {

constexpr std::size_t target_max = 8 << 10;
constexpr std::size_t length_digits_max = 15;

bool is_token_char(char c) {
    constexpr std::string_view marks{"!#$%&'*+-.^_`|~"};
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool equal_names(std::string_view left, std::string_view right) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(left, right, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

// Fields that mean something to us, of which a second one would leave the meaning open.
constexpr std::array<std::string_view, 13> single_fields{
    "host",          "content-length", "transfer-encoding", "content-type", "content-encoding",
    "authorization", "expect",         "x-request-id",      "origin",       "idempotency-key",
    "if-match",      "last-event-id",  "traceparent"};
enum place : std::size_t { host, content_length, transfer_encoding };
constexpr std::size_t expect_place = 6;

class head_checker {
   public:
    head_verdict check(std::string_view head) {
        auto rest = head;
        const auto request_line = next_line(rest);
        if (!check_request_line(request_line))
            return verdict_;
        while (!rest.empty()) {
            const auto line = next_line(rest);
            if (line.empty())
                break;
            if (!check_field(line))
                return verdict_;
        }
        check_whole();
        return verdict_;
    }

   private:
    bool fail(int status, std::string reason) {
        verdict_.status = status;
        verdict_.reason = std::move(reason);
        return false;
    }

    static std::string_view next_line(std::string_view& rest) {
        const auto end = rest.find("\r\n");
        if (end == std::string_view::npos)
            return std::exchange(rest, {});
        const auto line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        return line;
    }

    bool check_request_line(std::string_view line) {
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == std::string_view::npos || first == last)
            return fail(400, "expected METHOD, path and version with one space between");
        const auto method = line.substr(0, first);
        const auto target = line.substr(first + 1, last - first - 1);
        const auto version = line.substr(last + 1);
        if (!is_token(method))
            return fail(400, "the method has characters no method has");
        if (version != "HTTP/1.1" && version != "HTTP/1.0")
            return version.starts_with("HTTP/") ? fail(505, "expected HTTP/1.1")
                                                : fail(400, "expected HTTP/1.1 after the path");
        is_old_ = version == "HTTP/1.0";
        return check_target(method, target);
    }

    bool check_target(std::string_view method, std::string_view target) {
        if (target.size() > target_max)
            return fail(414, "the path is longer than 8 KiB");
        if (target == "*" && method == "OPTIONS")
            return true;
        if (!target.starts_with('/'))
            return fail(400, "expected a path that begins with a slash");
        const bool clean = std::ranges::all_of(target, [](char c) {
            return c > ' ' && c < '\x7f' && c != '#' && c != '\\' && c != '"' && c != '<' &&
                   c != '>';
        });
        return clean || fail(400, "the path has characters that must be percent-encoded");
    }

    bool check_field(std::string_view line) {
        if (++verdict_.fields > head_fields_max)
            return fail(431, "more than 100 header fields");
        if (line.front() == ' ' || line.front() == '\t')
            return fail(400, "a folded header line");
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
            return fail(400, "a header line without a proper name");
        const auto value = trimmed(line.substr(colon + 1));
        const bool clean = std::ranges::all_of(value, [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
        });
        if (!clean)
            return fail(400, "a header value with control characters");
        const auto name = line.substr(0, colon);
        const auto known = std::ranges::find_if(
            single_fields, [&](std::string_view each) { return equal_names(each, name); });
        if (known == single_fields.end())
            return true;
        const auto at = static_cast<std::size_t>(known - single_fields.begin());
        if (std::exchange(seen_.at(at), true))
            return fail(400, "two of a header field that may come once: " + std::string{*known});
        return check_value(at, value);
    }

    bool check_value(std::size_t at, std::string_view value) {
        if (at == host) {
            const bool clean = std::ranges::all_of(
                value, [](char c) { return is_token_char(c) || c == ':' || c == '[' || c == ']'; });
            return (clean && !value.empty()) || fail(400, "a Host that is no host");
        }
        if (at == content_length) {
            const bool digits =
                std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
            return (digits && !value.empty() && value.size() <= length_digits_max) ||
                   fail(400, "a Content-Length that is no number");
        }
        if (at == transfer_encoding)
            return equal_names(value, "chunked") ||
                   fail(501, "a Transfer-Encoding other than chunked");
        if (at == expect_place) {
            verdict_.expects_continue = equal_names(value, "100-continue");
            return verdict_.expects_continue || fail(417, "an Expect other than 100-continue");
        }
        return true;
    }

    void check_whole() {
        if (!is_old_ && !seen_.at(host))
            fail(400, "no Host");
        else if (seen_.at(content_length) && seen_.at(transfer_encoding))
            fail(400, "both Content-Length and Transfer-Encoding");
        else if (is_old_ && seen_.at(transfer_encoding))
            fail(400, "Transfer-Encoding in HTTP/1.0");
    }

    head_verdict verdict_;
    std::array<bool, single_fields.size()> seen_{};
    bool is_old_ = false;
};

}  // namespace

std::size_t head_end(std::string_view received) {
    if (!received.empty() && !is_token_char(received.front()))
        return std::string_view::npos;
    for (std::size_t i = 0; i < received.size(); ++i) {
        if (received[i] == '\0' || received[i] == '\n')
            return std::string_view::npos;
        if (received[i] != '\r')
            continue;
        if (i + 1 == received.size())
            return 0;
        if (received[i + 1] != '\n')
            return std::string_view::npos;
        if (received.substr(i, 4) == "\r\n\r\n")
            return i + 4;
        ++i;
    }
    return 0;
}

head_verdict check_head(std::string_view head) {
    return head_checker{}.check(head);
}

}  // namespace workerd
