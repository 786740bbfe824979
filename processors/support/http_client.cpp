#include "processors/support/http_client.hpp"

#include "processors/support/text_rules.hpp"
#include "processors/support/trace_state.hpp"
#include "processors/support/transfer_loop.hpp"

#include <libqueue/trace_context.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <random>
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

std::string_view error_type_of(http_end end) noexcept {
    switch (end) {
        case http_end::answered:
            return "";
        case http_end::stopped:
            return "stopped";
        case http_end::timed_out:
            return "timed_out";
        case http_end::address_refused:
            return "address_refused";
        case http_end::bad_url:
            return "bad_url";
        case http_end::failed:
            break;
    }
    return "failed";
}

/// Without scheme, user, path and query.
std::string host_of(std::string_view url) {
    const auto scheme = url.find("://");
    url.remove_prefix(scheme == std::string_view::npos ? 0 : scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    const auto at = url.rfind('@');
    url.remove_prefix(at == std::string_view::npos ? 0 : at + 1);
    return std::string{url};
}

std::uint64_t new_span() {
    static std::atomic<std::uint64_t> last{std::random_device{}()};
    const auto now = static_cast<std::uint64_t>(clock::now().time_since_epoch().count());
    return spread_id(last.fetch_add(1, std::memory_order_relaxed), now);
}

/// What the request carries: a span of its own when the run has one.
std::string context_of_call(const run_view& run) {
    const auto of_run = trace_context::parse(run.traceparent);
    return run.traced && of_run ? of_run->with_span(new_span()).header() : run.traceparent;
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

boost::asio::awaitable<http_response> perform_for(const run_view& run, const http_request& request,
                                                  clock::time_point deadline) {
    http_request asked = request;
    outbound_call told{request.method, host_of(request.url)};
    told.traceparent = context_of_call(run);
    if (!told.traceparent.empty() && !has_control_characters(told.traceparent)) {
        asked.set("traceparent", told.traceparent);
        if (const auto state = tracestate_in(run.job.meta); !state.empty()) {
            asked.set("tracestate", state);
        }
    }
    told.started_at =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto begun = clock::now();
    auto loop = transfer_loop_of(run.executor, request.addresses);
    auto response = co_await perform(loop, asked, run.stop, deadline);
    told.duration = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begun);
    told.status = static_cast<int>(response.status);
    told.error_type = error_type_of(response.end);
    run.call_made(std::move(told));
    co_return response;
}

boost::asio::awaitable<http_response> call(const run_view& run, const http_request& request,
                                           const call_policy& policy) {
    const auto deadline = std::min(run.deadline, clock::now() + policy.timeout);
    http_request base = request;
    base.may_repeat = policy.repeatable || request.method == "GET";
    for (int made = 1;; ++made) {
        http_request asked = base;
        if (policy.tell_deadline) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
            asked.set("x-request-deadline",
                      std::to_string(std::max<std::int64_t>(1, left.count())));
        }
        auto response = co_await perform_for(run, asked, deadline);
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
