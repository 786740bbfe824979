#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace workerd::api {

class answer;
class api_call;

enum class verb { get, post, put, remove };  ///< remove: DELETE

enum class value_type { text, integer, number, boolean, time, uuid, object, list, json };

/// One named value of a request: in the path, in the query or in the JSON body. The rows drive the
/// checks of requests and the OpenAPI description, so that a fact is written once.
struct field {
    std::string_view name;
    value_type type = value_type::text;
    std::string_view doc = {};
    bool required = false;
    /// Bytes of a text, values of a number, elements of a list; both 0: none.
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::string_view choices = {};  ///< "a|b|c"
};

/// What an answer's body is.
enum class shape {
    object,   ///< the columns of one row
    list,     ///< {"items":[...],"next":cursor or null}
    nothing,  ///< 204
    lines,    ///< JSON lines
    events,   ///< server-sent events
};

/// Everything there is to know about one route. Path and body parameters are checked against these
/// rows before `run` is called; what is not described here is refused.
struct route {
    verb method = verb::get;
    /// Below /api/v1: "/queues/{name}". A segment in braces is a path parameter: `{id}` is a
    /// positive integer, all others are text unless `parameters` has a row of that name.
    std::string_view path;
    /// Who may (rights.hpp); empty: everybody, without a token.
    std::string_view right = {};
    std::string_view summary;
    /// Of the query. A row with the name of a path segment types that segment instead.
    std::span<const field> parameters = {};
    /// Members of the JSON object in the body; empty: the route takes no body.
    std::span<const field> body = {};
    shape answers = shape::object;
    int status = 200;
    /// A list in pages: `limit` and `cursor` are parameters, too.
    bool pages = false;
    /// Has an ETag; as PUT or DELETE it honours If-Match.
    bool tagged = false;
    /// Its answer holds a secret, so it is not kept for an Idempotency-Key.
    bool secret = false;
    /// Runs on a thread of the API's pool and may block. What it throws becomes a problem:
    /// `refused` as it stands, libqueue's errors by their code.
    answer (*run)(api_call& call) = nullptr;
};

/// All routes, file by file (routes/all.cpp).
[[nodiscard]] const std::vector<route>& all_routes();

[[nodiscard]] std::string_view to_string(verb method) noexcept;  ///< "GET"

}  // namespace workerd::api
