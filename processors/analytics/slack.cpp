#include "processors/analytics/slack.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/run_view.hpp"
#include "processors/support/transfer_loop.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace libqueue::processors::analytics {

namespace {

constexpr std::size_t longest_text = 4'000;
constexpr std::chrono::seconds longest_wait{15};

outcome answered(const run_view& run, const http_response& response) {
    const auto said = "Slack answered " + std::to_string(response.status);
    if (response.status >= 200 && response.status < 300) {
        run.provider_ok();
        return completed();
    }
    if (response.status == 429) {
        const auto wait = retry_after_of(response, std::chrono::system_clock::now());
        run.provider_throttled(wait.value_or(std::chrono::seconds{1}));
        return retry_after(wait.value_or(std::chrono::seconds{1}), said);
    }
    if (response.status >= 400 && response.status < 500 && response.status != 408) {
        run.provider_ok();
        return discard(said);
    }
    run.provider_failed();
    return retry(said);
}

}  // namespace

boost::asio::awaitable<outcome> post_to_slack(std::shared_ptr<const options> with,
                                              job_context& context) {
    payload_reader payload{context.payload()};
    const auto text = payload.text("text");
    if (text.size() > longest_text) {
        payload.fault("text", "expected at most 4000 bytes, got " + std::to_string(text.size()));
    }
    if (!payload.ok()) {
        co_return discard(payload.faults());
    }
    const run_view run{context};
    http_request request{std::string{with->slack_url.reveal()},
                         R"({"text":)" + json_string(text) + "}"};
    request.set("content-type", "application/json");
    if (with->slack_allow_private) {
        request.allow_http = true;
        request.addresses = address_policy::any;
    }
    const auto deadline =
        std::min(context.deadline(), std::chrono::steady_clock::now() + longest_wait);
    auto loop = transfer_loop_of(context.executor(), request.addresses);
    const auto stop = context.stop_token();
    auto response = co_await perform(loop, request, stop, deadline);
    switch (response.end) {
        case http_end::answered:
            co_return answered(run, response);
        case http_end::stopped:
            co_return stopped_outcome(context.stop_reason());
        case http_end::address_refused:
        case http_end::bad_url:
            co_return discard("the address of the Slack webhook cannot be used");
        case http_end::timed_out:
        case http_end::failed:
            break;
    }
    run.provider_failed();
    co_return retry("no answer from Slack");
}

}  // namespace libqueue::processors::analytics
