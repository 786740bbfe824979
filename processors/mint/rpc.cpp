#include "processors/mint/rpc.hpp"

#include "processors/mint/rpc_reply.hpp"
#include "processors/support/crypto.hpp"
#include "processors/support/http_client.hpp"
#include "processors/support/payload.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace libqueue::processors::mint {

namespace {

namespace json = boost::json;
using boost::asio::awaitable;

constexpr std::chrono::seconds unsaid{1};  // how long to leave a node alone that does not say

void report_to_limits(const run_view& run, const http_response& response, const rpc_fault& fault,
                      bool only_endpoint) {
    switch (fault.what) {
        case rpc_fault::type::throttled:
        case rpc_fault::type::behind:
            // With another endpoint to ask the limit need not close for everybody.
            if (only_endpoint) {
                run.provider_throttled(fault.wait.value_or(unsaid));
            }
            break;
        case rpc_fault::type::unreachable:
            run.provider_failed();
            break;
        case rpc_fault::type::stopped:
            break;
        case rpc_fault::type::none:
        case rpc_fault::type::rejected:
        case rpc_fault::type::refused:
            if (response.end == http_end::answered) {
                run.provider_ok();
            }
            break;
    }
}

/// `{"context": ..., "value": x}` -> x.
const json::value* value_of(const json::value& result) {
    const auto* object = result.if_object();
    return object == nullptr ? nullptr : object->if_contains("value");
}

std::optional<std::uint64_t> number_of(const json::value* value) {
    if (value == nullptr || !value->is_int64() || value->get_int64() < 0) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(value->get_int64());
}

std::string text_of(const json::value* value) {
    return value != nullptr && value->is_string()
               ? std::string{value->get_string().data(), value->get_string().size()}
               : std::string{};
}

rpc_fault unreadable(const std::string& method) {
    return {rpc_fault::type::unreachable, method + ": the node's answer is not what it should be"};
}

std::optional<account> account_of(const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) {
        return std::nullopt;
    }
    account found;
    const auto lamports = number_of(object->if_contains("lamports"));
    const auto owner = public_key::parse(text_of(object->if_contains("owner")));
    const auto* data = object->if_contains("data");
    if (!lamports || !owner || data == nullptr || !data->is_array() || data->get_array().empty()) {
        return std::nullopt;
    }
    auto bytes = base64_decode(text_of(&data->get_array()[0]));
    if (!bytes) {
        return std::nullopt;
    }
    found.lamports = *lamports;
    found.owner = *owner;
    found.data = std::move(*bytes);
    return found;
}

}  // namespace

std::string_view rpc_client::commitment_name() const noexcept {
    return with_.commitment == commitment::finalized ? "finalized" : "confirmed";
}

awaitable<rpc_answer<json::value>> rpc_client::call(std::string method, std::string parameters) {
    http_request request{with_.endpoints[endpoint_],
                         R"({"jsonrpc":"2.0","id":)" + std::to_string(++id_) + R"(,"method":")" +
                             method + R"(","params":[)" + parameters + "]}"};
    request.set("content-type", "application/json");
    request.set("expect", "");
    request.ca_file = with_.ca_file;
    request.allow_http = with_.allow_http;
    request.addresses = address_policy::any;  // the operator's own setting, not a payload's
    const auto deadline =
        std::min(run_.deadline, std::chrono::steady_clock::now() + with_.rpc_timeout);
    const auto response = co_await perform_for(run_, request, deadline);
    auto answer = read_reply(response, method + " (endpoint " + std::to_string(endpoint_ + 1) + ")",
                             std::chrono::system_clock::now());
    report_to_limits(run_, response, answer.fault, !has_other_endpoint());
    co_return answer;
}

awaitable<rpc_answer<std::uint64_t>> rpc_client::balance(public_key wallet) {
    std::string parameters = json_string(wallet.text());
    parameters += R"(,{"commitment":"confirmed"})";
    auto answer = co_await call("getBalance", std::move(parameters));
    if (!answer) {
        co_return rpc_answer<std::uint64_t>{std::move(answer.fault)};
    }
    const auto lamports = number_of(value_of(*answer.value));
    co_return lamports ? rpc_answer<std::uint64_t>{*lamports}
                       : rpc_answer<std::uint64_t>{unreadable("getBalance")};
}

awaitable<rpc_answer<std::uint64_t>> rpc_client::rent(std::size_t bytes) {
    auto answer = co_await call("getMinimumBalanceForRentExemption", std::to_string(bytes));
    if (!answer) {
        co_return rpc_answer<std::uint64_t>{std::move(answer.fault)};
    }
    const auto lamports = number_of(&*answer.value);
    co_return lamports ? rpc_answer<std::uint64_t>{*lamports}
                       : rpc_answer<std::uint64_t>{unreadable("getMinimumBalance")};
}

awaitable<rpc_answer<std::uint64_t>> rpc_client::block_height() {
    std::string parameters{R"({"commitment":")"};
    parameters += commitment_name();
    parameters += R"("})";
    auto answer = co_await call("getBlockHeight", std::move(parameters));
    if (!answer) {
        co_return rpc_answer<std::uint64_t>{std::move(answer.fault)};
    }
    const auto height = number_of(&*answer.value);
    co_return height ? rpc_answer<std::uint64_t>{*height}
                     : rpc_answer<std::uint64_t>{unreadable("getBlockHeight")};
}

awaitable<rpc_answer<recent_blockhash>> rpc_client::latest_blockhash() {
    // Always confirmed: a finalized one is 13 s older, which its life is shorter by.
    auto answer = co_await call("getLatestBlockhash", R"({"commitment":"confirmed"})");
    if (!answer) {
        co_return rpc_answer<recent_blockhash>{std::move(answer.fault)};
    }
    const auto* value = value_of(*answer.value);
    const auto* object = value == nullptr ? nullptr : value->if_object();
    recent_blockhash made;
    if (object != nullptr) {
        const auto hash = public_key::parse(text_of(object->if_contains("blockhash")));
        const auto height = number_of(object->if_contains("lastValidBlockHeight"));
        if (hash && height) {
            made.blockhash = *hash;
            made.last_valid_height = *height;
            co_return rpc_answer<recent_blockhash>{made};
        }
    }
    co_return rpc_answer<recent_blockhash>{unreadable("getLatestBlockhash")};
}

awaitable<rpc_answer<std::optional<account>>> rpc_client::account_at(public_key address) {
    using found = std::optional<account>;
    std::string parameters = json_string(address.text());
    parameters += R"(,{"encoding":"base64","commitment":")";
    parameters += commitment_name();
    parameters += R"("})";
    auto answer = co_await call("getAccountInfo", std::move(parameters));
    if (!answer) {
        co_return rpc_answer<found>{std::move(answer.fault)};
    }
    const auto* value = value_of(*answer.value);
    if (value == nullptr) {
        co_return rpc_answer<found>{unreadable("getAccountInfo")};
    }
    if (value->is_null()) {
        co_return rpc_answer<found>{found{}};
    }
    found read = account_of(*value);
    co_return read ? rpc_answer<found>{std::move(read)}
                   : rpc_answer<found>{unreadable("getAccountInfo")};
}

awaitable<rpc_answer<transaction_status>> rpc_client::status(std::string signature) {
    std::string parameters = "[" + json_string(signature);
    parameters += R"(],{"searchTransactionHistory":true})";
    auto answer = co_await call("getSignatureStatuses", std::move(parameters));
    if (!answer) {
        co_return rpc_answer<transaction_status>{std::move(answer.fault)};
    }
    const auto* value = value_of(*answer.value);
    if (value == nullptr || !value->is_array() || value->get_array().size() != 1) {
        co_return rpc_answer<transaction_status>{unreadable("getSignatureStatuses")};
    }
    transaction_status status;
    if (const auto* object = value->get_array()[0].if_object()) {
        const auto level = text_of(object->if_contains("confirmationStatus"));
        const auto* failed = object->if_contains("err");
        status.known = true;
        status.settled = level == "finalized" || level == commitment_name();
        if (failed != nullptr && !failed->is_null()) {
            status.error = json::serialize(*failed);
        }
    }
    co_return rpc_answer<transaction_status>{std::move(status)};
}

awaitable<rpc_answer<std::string>> rpc_client::send(std::string transaction) {
    std::string parameters = json_string(base64_encode(transaction));
    parameters += R"(,{"encoding":"base64","skipPreflight":false,"maxRetries":0,)";
    parameters += R"("preflightCommitment":"confirmed"})";
    auto answer = co_await call("sendTransaction", std::move(parameters));
    if (!answer) {
        co_return rpc_answer<std::string>{std::move(answer.fault)};
    }
    co_return rpc_answer<std::string>{text_of(&*answer.value)};
}

}  // namespace libqueue::processors::mint
