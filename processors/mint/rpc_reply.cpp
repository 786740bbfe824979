#include "processors/mint/rpc_reply.hpp"

#include <boost/json.hpp>

#include <array>

namespace libqueue::processors::mint {

namespace {

namespace json = boost::json;
using type = rpc_fault::type;

// The codes of Solana's JSON-RPC servers (rpc-client-api, custom_error).
constexpr std::int64_t preflight_failure = -32002;
constexpr std::int64_t too_many_requests = -32429;  // some hosts; others use HTTP 429
/// Node unhealthy, slot not available yet, status not available yet, minimum context not reached.
constexpr std::array<std::int64_t, 4> behind_codes{-32005, -32004, -32014, -32016};

rpc_fault fault_of_status(const http_response& response, const std::string& what,
                          std::chrono::system_clock::time_point now) {
    const auto text = what + ": the node answered " + std::to_string(response.status);
    if (response.status == 429) {
        rpc_fault fault{type::throttled, text};
        fault.wait = retry_after_of(response, now);
        return fault;
    }
    if (response.status >= 400 && response.status < 500 && response.status != 408) {
        return {type::refused, text};
    }
    return {type::unreachable, text};
}

rpc_fault fault_of_error(const json::object& error, const std::string& what) {
    const auto* number = error.if_contains("code");
    const auto code = number != nullptr && number->is_int64() ? number->get_int64() : 0;
    const auto text = what + ": the node answered error " + std::to_string(code);
    if (code == preflight_failure) {
        rpc_fault fault{type::rejected, text};
        const auto* data = error.if_contains("data");
        const auto* object = data == nullptr ? nullptr : data->if_object();
        const auto* why = object == nullptr ? nullptr : object->if_contains("err");
        fault.transaction_error = why == nullptr ? "null" : json::serialize(*why);
        return fault;
    }
    if (code == too_many_requests) {
        return {type::throttled, text};
    }
    for (const auto behind : behind_codes) {
        if (code == behind) {
            return {type::behind, text + ": it is behind"};
        }
    }
    // Internal error: the server's own fault, and it may have been heard.
    return {code == -32603 ? type::unreachable : type::refused, text};
}

rpc_fault fault_of_end(const http_response& response, const std::string& what) {
    switch (response.end) {
        case http_end::stopped:
            return {type::stopped, what + ": stopped"};
        case http_end::timed_out:
            return {type::unreachable, what + ": no answer within " +
                                           std::to_string(response.duration.count()) + " ms"};
        case http_end::bad_url:
        case http_end::address_refused:
            return {type::refused, what + ": " + response.error};
        case http_end::answered:
        case http_end::failed:
            break;
    }
    return {type::unreachable, what + ": " + response.error};
}

}  // namespace

rpc_answer<json::value> read_reply(const http_response& response, const std::string& what,
                                   std::chrono::system_clock::time_point now) {
    using answer = rpc_answer<json::value>;
    if (response.end != http_end::answered) {
        return answer{fault_of_end(response, what)};
    }
    if (response.status != 200) {
        return answer{fault_of_status(response, what, now)};
    }
    json::error_code failed;
    const auto parsed = json::parse(response.body, failed);
    const auto* object = failed ? nullptr : parsed.if_object();
    if (object == nullptr) {
        return answer{rpc_fault{type::unreachable, what + ": the node's answer is no JSON object"}};
    }
    const auto* error = object->if_contains("error");
    if (error != nullptr && error->is_object()) {
        return answer{fault_of_error(error->get_object(), what)};
    }
    const auto* result = object->if_contains("result");
    if (result == nullptr) {
        return answer{rpc_fault{type::unreachable, what + ": the node's answer has no result"}};
    }
    return answer{*result};
}

}  // namespace libqueue::processors::mint
