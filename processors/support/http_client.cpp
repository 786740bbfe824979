#include "processors/support/http_client.hpp"

#include "processors/support/text_rules.hpp"
#include "processors/support/transfer_loop.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace libqueue::processors {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds unsaid_wait{1};

bool refused_us(const http_response& response) noexcept {
    return response.end == http_end::answered && (response.status == 401 || response.status == 403);
}

bool is_worth_repeating(const http_request& request, const http_response& response) noexcept {
    if (response.end == http_end::failed || response.end == http_end::timed_out) {
        return true;
    }
    if (response.end != http_end::answered) {
        return false;
    }
    const long status = response.status;
    return status == 429 || (status >= 502 && status <= 504) ||
           (status == 500 && request.method == "GET");
}

/// How long before the next request; nothing when there must be none.
std::optional<std::chrono::milliseconds> wait_before_next(const call_policy& policy, int made,
                                                          const http_response& response) {
    auto wait = std::min(policy.longest_wait, policy.first_wait * (1 << std::min(made - 1, 10)));
    const auto asked = retry_after_of(response, std::chrono::system_clock::now());
    if (asked && *asked > policy.longest_wait) {
        return std::nullopt;  // longer than a run should be held: the job comes back
    }
    return std::max(wait, asked.value_or(wait));
}

/// Waits on the run's loop; false when stopped before.
boost::asio::awaitable<bool> wait_for(const run_view& run, std::chrono::milliseconds time) {
    // Looked at often instead of being woken: a stop comes from any thread, a timer does not.
    constexpr std::chrono::milliseconds step{50};
    boost::asio::steady_timer timer{run.executor};
    const auto end = clock::now() + time;
    while (clock::now() < end && !run.stop.stop_requested()) {
        timer.expires_at(std::min(end, clock::now() + step));
        boost::system::error_code ignored;
        auto token = boost::asio::redirect_error(boost::asio::use_awaitable, ignored);
        co_await timer.async_wait(token);
    }
    co_return !run.stop.stop_requested();
}

http_request prepared(const run_view& run, const http_request& request) {
    http_request made = request;
    if (!run.traceparent.empty() && !has_control_characters(run.traceparent)) {
        made.set("traceparent", run.traceparent);
    }
    return made;
}

}  // namespace

void report(const run_view& run, const http_response& response, std::chrono::milliseconds unsaid,
            bool own_credentials) {
    const bool answered = response.end == http_end::answered;
    const long status = response.status;
    const bool throttled = answered && (status == 429 || status == 503);
    const auto wait = retry_after_of(response, std::chrono::system_clock::now());
    if (throttled && (wait.has_value() || status == 429)) {
        run.provider_throttled(wait.value_or(unsaid));
    }
    if (response.end == http_end::failed || response.end == http_end::timed_out ||
        (answered && (status >= 500 || status == 408)) ||
        (own_credentials && refused_us(response))) {
        run.provider_failed();
    } else if (answered && status != 429) {
        run.provider_ok();
    }
}

boost::asio::awaitable<http_response> call(const run_view& run, const http_request& request,
                                           const call_policy& policy) {
    const auto deadline = std::min(run.deadline, clock::now() + policy.timeout);
    http_request base = prepared(run, request);
    base.may_repeat = policy.repeatable || request.method == "GET";
    auto loop = transfer_loop_of(run.executor, request.addresses);
    for (int made = 1;; ++made) {
        http_request asked = base;
        if (policy.tell_deadline) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
            asked.set("x-request-deadline",
                      std::to_string(std::max<std::int64_t>(1, left.count())));
        }
        auto response = co_await perform(loop, asked, run.stop, deadline);
        report(run, response, unsaid_wait, policy.own_credentials);
        if (!policy.repeatable || made >= policy.tries || !is_worth_repeating(asked, response)) {
            co_return response;
        }
        const auto wait = wait_before_next(policy, made, response);
        if (!wait || clock::now() + *wait >= deadline) {
            co_return response;
        }
        const bool waited = co_await wait_for(run, *wait);
        if (!waited) {
            co_return response;
        }
    }
}

}  // namespace libqueue::processors
