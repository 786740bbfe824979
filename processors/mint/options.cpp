#include "processors/mint/options.hpp"

#include <stdexcept>

namespace libqueue::processors::mint {

namespace {

void check_url(const std::string& what, const std::string& url, bool allow_http) {
    if (url.starts_with("https://") || (allow_http && url.starts_with("http://"))) {
        return;
    }
    throw std::invalid_argument{"mint: " + what + ": expected https://" +
                                (allow_http ? " or http://" : "")};
}

}  // namespace

void check(const options& given) {
    for (const auto wait : {given.rpc_timeout, given.poll_interval, given.resend_interval,
                            given.confirm_wait, given.look_again, given.low_balance_wait}) {
        if (wait <= std::chrono::milliseconds{0}) {
            throw std::invalid_argument{"mint: expected times above zero"};
        }
    }
    if (!given.service_url.empty()) {
        check_url("service_url", given.service_url, given.allow_http);
        if (!given.endpoints.empty() || !given.signer) {
            throw std::invalid_argument{
                "mint: expected with service_url a key for its calls, and no endpoints"};
        }
        return;
    }
    if (given.endpoints.empty() || given.endpoints.size() > 2) {
        throw std::invalid_argument{"mint: expected one or two endpoints, got " +
                                    std::to_string(given.endpoints.size())};
    }
    for (const auto& endpoint : given.endpoints) {
        check_url("endpoints", endpoint, given.allow_http);
    }
    if (!given.metadata_url.empty()) {
        check_url("metadata_url", given.metadata_url, given.allow_http);
    }
    if (!given.key) {
        throw std::invalid_argument{"mint: expected a signing key"};
    }
    if (given.compute_units == 0 || given.compute_units > 1'400'000) {
        throw std::invalid_argument{"mint: expected compute_units from 1 to 1400000"};
    }
}

}  // namespace libqueue::processors::mint
