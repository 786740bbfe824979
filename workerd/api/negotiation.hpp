#pragma once

#include "answer.hpp"
#include "net/http_types.hpp"
#include "problem.hpp"
#include "route.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What HTTP wants around an answer: ids, media types, security headers, browsers' questions. Pure.

namespace workerd::api {

[[nodiscard]] std::string_view header(const http_request& request, std::string_view name);

/// 32 random hexadecimal digits.
[[nodiscard]] std::string random_id();

/// The client's X-Request-Id when it is 1 to 64 of A-Z a-z 0-9 . _ -, else a new random one.
[[nodiscard]] std::string request_id_of(const http_request& request);

/// Refuses (415, 406) bodies that are no JSON and clients that do not take what the route gives.
void check_media(const http_request& request, const route& to);

/// "other" for whatever is not used with services such as this one.
[[nodiscard]] std::string_view method_name(boost::beast::http::verb method);

[[nodiscard]] std::optional<verb> verb_of(boost::beast::http::verb method);

/// Headers every answer has, as far as it has not set them itself.
void add_safe_headers(http_response& head, bool secure);

/// Lets pages of the origins listed read the answer.
void add_cors_headers(http_response& head, const http_request& request,
                      const std::vector<std::string>& origins);

/// The answer to OPTIONS: to a browser's preflight, or to anybody who asks which methods there are.
[[nodiscard]] answer answer_options(const http_request& request, const std::vector<verb>& methods,
                                    const std::vector<std::string>& origins);

[[nodiscard]] http_response to_response(const answer& from);
[[nodiscard]] answer to_answer(const problem& why, const std::string& request_id);

}  // namespace workerd::api
