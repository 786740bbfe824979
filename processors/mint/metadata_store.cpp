#include "processors/mint/metadata_store.hpp"

#include "processors/support/crypto.hpp"
#include "processors/support/http_client.hpp"

namespace libqueue::processors::mint {

namespace {

rpc_fault fault_of(const http_response& response, std::chrono::system_clock::time_point now) {
    using type = rpc_fault::type;
    const std::string what = "metadata upload: ";
    if (response.end == http_end::stopped) {
        return {type::stopped, what + "stopped"};
    }
    if (response.end == http_end::timed_out) {
        return {type::unreachable, what + "no answer in time"};
    }
    if (response.end == http_end::bad_url || response.end == http_end::address_refused) {
        return {type::refused, what + response.error};
    }
    if (response.end == http_end::failed) {
        return {type::unreachable, what + response.error};
    }
    const auto status = response.status;
    const auto text = what + "the gateway answered " + std::to_string(status);
    if ((status >= 200 && status < 300) || status == 409 || status == 412) {
        return {};
    }
    if (status == 429) {
        rpc_fault fault{type::throttled, text};
        fault.wait = retry_after_of(response, now);
        return fault;
    }
    const bool final_word = status >= 300 && status < 500 && status != 408 && status != 425;
    return {final_word ? type::refused : type::unreachable, text};
}

}  // namespace

std::string metadata_name(const std::string& metadata) {
    return sha256_hex(metadata) + ".json";
}

boost::asio::awaitable<rpc_fault> upload_metadata(const options& with, const run_view& run,
                                                  std::string metadata) {
    http_request request{"PUT", with.metadata_url + metadata_name(metadata), metadata};
    request.set("content-type", "application/json");
    request.set("if-none-match", "*");
    request.set("expect", "");  // no 100-continue: it costs a round trip or a second
    request.ca_file = with.ca_file;
    request.allow_http = with.allow_http;
    request.addresses = address_policy::any;  // the operator's own setting, not a payload's
    call_policy policy;
    policy.repeatable = true;  // the same name for the same content
    policy.timeout = with.rpc_timeout;
    const auto response = co_await call(run, request, policy);
    co_return fault_of(response, std::chrono::system_clock::now());
}

}  // namespace libqueue::processors::mint
