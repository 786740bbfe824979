#include "processors/mint/metadata_store.hpp"

#include "processors/support/crypto.hpp"
#include "processors/support/transfer_loop.hpp"

#include <algorithm>

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
    request.set("expect", "");
    request.ca_file = with.ca_file;
    request.allow_http = with.allow_http;
    request.addresses = address_policy::any;  // the operator's own setting, not a payload's
    const auto deadline =
        std::min(run.deadline, std::chrono::steady_clock::now() + with.rpc_timeout);
    auto loop = transfer_loop_of(run.executor, request.addresses);
    const auto response = co_await perform(loop, request, run.stop, deadline);
    co_return fault_of(response, std::chrono::system_clock::now());
}

}  // namespace libqueue::processors::mint
