#pragma once

#include "processors/support/address.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue::processors {

/// One request, a POST unless `method` says otherwise. The caller has checked header names and
/// values (`text_rules.hpp`).
class http_request {
   public:
    http_request(std::string url_, std::string body_)
        : url{std::move(url_)}, body{std::move(body_)} {}
    http_request(std::string method_, std::string url_, std::string body_)
        : method{std::move(method_)}, url{std::move(url_)}, body{std::move(body_)} {}

    void set(std::string_view name, std::string_view value) {
        headers.push_back(std::string{name} + ": " + std::string{value});
    }

    std::string method{"POST"};  ///< GET, POST, PUT, PATCH or DELETE
    std::string url;
    /// May be empty. Not sent with GET, and with DELETE only when there is one.
    std::string body;
    std::vector<std::string> headers;  ///< whole lines without CR LF
    std::filesystem::path ca_file;     ///< instead of the system's certificates; empty: those
    bool allow_http{false};            ///< else https only
    /// False: it must reach the other side once at most. On a connection that was kept from an
    /// earlier request libcurl sends a request again, whatever its method, when the connection ends
    /// without a byte of an answer; a new connection, which this asks for, is never used twice.
    bool may_repeat{true};
    address_policy addresses{address_policy::public_only};
    std::size_t body_limit{64UL * 1024};  ///< of the response; the rest is not read
};
static_assert(!std::is_aggregate_v<http_request>);

/// How a transfer ended.
enum class http_end {
    answered,         ///< `status` and headers are there; a body over the limit was cut off
    stopped,          ///< the run was asked to stop
    timed_out,        ///< the deadline passed
    address_refused,  ///< every address of the host is forbidden by the policy
    bad_url,          ///< not a URL, or a scheme that is not allowed
    failed,           ///< no answer: name, connection, certificate or protocol
};

class http_response {
   public:
    http_response() = default;

    /// First value of the header, compared without case; empty when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;

    http_end end{http_end::failed};
    std::string error;  ///< for people, when there is no answer; no payload content
    /// Whether anything of the request went out, so that the other side may have acted. False only
    /// when it surely did not: no connection was made.
    bool sent{true};
    long status{0};
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case; at most 64
    std::string body;
    std::chrono::milliseconds duration{0};
};
static_assert(!std::is_aggregate_v<http_response>);

/// What a `Retry-After` header asks for: seconds or an HTTP date, from `now`, never negative, at
/// most one day. Empty when absent or not understood.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after_of(
    const http_response& response, std::chrono::system_clock::time_point now);

}  // namespace libqueue::processors
