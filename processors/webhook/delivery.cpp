#include "processors/webhook/delivery.hpp"

#include "processors/support/http_client.hpp"
#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"
#include "processors/webhook/payload.hpp"

#include <algorithm>
#include <utility>

namespace libqueue::processors::webhook {

namespace {

/// The timestamp is when the job was created, so that every attempt sends the same bytes.
std::string body_of(const delivery_payload& payload, const libqueue::job& job) {
    std::string body{R"({"type":)"};
    body += json_string(payload.event);
    body += R"(,"timestamp":")";
    body += utc_text(job.created_at);
    body += R"(","data":)";
    body += payload.data;
    body += '}';
    return body;
}

http_request request_of(const settings& with, const delivery_payload& payload,
                        const run_view& run) {
    auto request =
        with.signed_request(payload.url, body_of(payload, run.job), delivery_id(run), with.keys);
    request.set("content-type", "application/json");
    for (const auto& [name, value] : payload.headers) {
        request.set(name, value);
    }
    return request;
}

outcome outcome_of_status(const http_response& response,
                          std::chrono::system_clock::time_point now) {
    const long status = response.status;
    const auto answered = "the endpoint answered " + std::to_string(status);
    if (status >= 200 && status < 300) {
        return completed(R"({"status":)" + std::to_string(status) + R"(,"duration_ms":)" +
                         std::to_string(response.duration.count()) + "}");
    }
    if (status >= 300 && status < 400) {
        return retry(answered + ": redirects are not followed; enqueue with the final URL");
    }
    if (status == 429 || status == 502 || status == 503 || status == 504) {
        if (const auto wait = retry_after_of(response, now)) {
            return retry_after(*wait, answered + " and says when to come back");
        }
        return retry(answered);
    }
    if (status == 410) {
        return discard(answered + ": it asks for no more deliveries");
    }
    // 408 and 425 say "this time"; every other 4xx would be said again.
    if (status >= 400 && status < 500 && status != 408 && status != 425) {
        return discard(answered);
    }
    return retry(answered);
}

}  // namespace

outcome outcome_of(const http_response& response, libqueue::stop_reason reason,
                   std::chrono::system_clock::time_point now) {
    switch (response.end) {
        case http_end::answered:
            return outcome_of_status(response, now);
        case http_end::stopped:
            return stopped_outcome(reason);
        case http_end::timed_out:
            return retry("no answer within " + std::to_string(response.duration.count()) + " ms");
        case http_end::address_refused:
        case http_end::bad_url:
            return discard(response.error);
        case http_end::failed:
            break;
    }
    return retry(response.error);
}

boost::asio::awaitable<outcome> deliver(std::shared_ptr<const settings> with, run_view run) {
    const auto payload = delivery_payload::parse(run.job.payload, with->rules());
    if (!payload) {
        co_return discard(payload.error().message);
    }
    const auto timeout =
        std::min(payload->timeout.value_or(with->given.timeout), with->given.timeout);
    const auto deadline = std::min(run.deadline, std::chrono::steady_clock::now() + timeout);
    const auto request = request_of(*with, *payload, run);
    auto response = co_await perform_for(run, request, deadline);
    report(run, response);
    co_return outcome_of(response, run.stop_reason(), std::chrono::system_clock::now());
}

}  // namespace libqueue::processors::webhook
