#pragma once

#include <libqueue/error.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace workerd::api {

/// One thing wrong with a request: where ("body.rate", "query.limit"), what was expected, what
/// came. `got` never repeats payloads or secrets.
class request_fault {
   public:
    request_fault(std::string where_, std::string expected_, std::string got_)
        : where{std::move(where_)}, expected{std::move(expected_)}, got{std::move(got_)} {}
    std::string where;
    std::string expected;
    std::string got;
};

/// Why a request was not served: RFC 9457, as application/problem+json. `code` is a name of
/// libqueue::errc or one of the front door's own: unauthenticated, forbidden, rate_limited,
/// method_not_allowed, not_acceptable, unsupported_media_type, too_large, malformed, precondition,
/// unavailable, too_wide, internal.
class problem {
   public:
    problem(int status_, std::string code_, std::string detail_)
        : status{status_}, code{std::move(code_)}, detail{std::move(detail_)} {}
    int status;
    std::string code;
    std::string detail;
    std::string hint;
    std::vector<request_fault> errors;
    std::optional<int> retry_after;  ///< seconds
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Ends a handler with a problem.
class refused : public std::exception {
   public:
    explicit refused(problem why) : why_{std::move(why)} {}
    [[nodiscard]] const char* what() const noexcept override { return why_.detail.c_str(); }
    [[nodiscard]] const problem& why() const noexcept { return why_; }

   private:
    problem why_;
};

[[noreturn]] void refuse(int status, std::string code, std::string detail);
/// 400 invalid_argument about one value.
[[noreturn]] void refuse_value(std::string where, std::string expected, std::string got);
/// 404 with the words of "there is no such thing or it is not yours": they are the same.
[[noreturn]] void refuse_missing(std::string_view what);

[[nodiscard]] problem problem_of(const libqueue::error& why);
/// Of the environment: never with the server's own words, which may hold data.
[[nodiscard]] problem problem_of(const libqueue::failure& why);

/// The body: {"type","title","status","detail","code","hint","errors","request_id"}.
[[nodiscard]] std::string problem_text(const problem& why, std::string_view request_id);

/// The standard words of a status: 404 is "Not Found".
[[nodiscard]] std::string status_title(int status);

}  // namespace workerd::api
