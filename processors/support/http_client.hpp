#pragma once

#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <type_traits>

namespace libqueue::processors {

/// How a call to a provider is made within one attempt of a job.
class call_policy {
   public:
    call_policy() = default;

    /// The request may reach the provider twice without harm: it carries an idempotency key, or
    /// changes nothing. Then a call that was not answered, or answered 429, 502, 503 or 504 (with
    /// GET also 500), is repeated: at most `tries` requests, after 500 ms and twice as long each
    /// time, or what Retry-After says, never longer than 5 s and never past the deadline. Other
    /// answers never are: 500 may be a provider's saved answer, which the same key brings again.
    bool repeatable{false};
    int tries{3};
    std::chrono::milliseconds first_wait{500};
    std::chrono::milliseconds longest_wait{5'000};
    /// For the whole call, waits included; cut at the run's deadline.
    std::chrono::milliseconds timeout{20'000};
    /// 401 and 403 say that our credentials are refused, so every other job would meet the same:
    /// they count as failed for the breaker of the job's limit.
    bool own_credentials{false};
    /// Tells the other side how many milliseconds it has (`x-request-deadline`). For services of
    /// our own; a span of time and not a point in it, because clocks differ.
    bool tell_deadline{false};
};
static_assert(!std::is_aggregate_v<call_policy>);

/// Says to the limits of the job what came of one request (docs/limits.md): no answer, 5xx and 408
/// as failed; 429, and 503 with a Retry-After, as throttled; any other answer as ok, for the
/// provider is up. A stop, and an address or URL we refuse ourselves, say nothing.
/// `unsaid`: how long a 429 without Retry-After asks to be left alone.
void report(const run_view& run, const http_response& response,
            std::chrono::milliseconds unsaid = std::chrono::seconds{1},
            bool own_credentials = false);

/// Performs one request of the run, as `perform` (transfer_loop.hpp) does until the run's stop or
/// `deadline`: it carries `traceparent`, a span of its own under the run's, and the worker's
/// observer is told of it. `request` must not have that header, and must stay until it returns.
[[nodiscard]] boost::asio::awaitable<http_response> perform_for(
    const run_view& run, const http_request& request,
    std::chrono::steady_clock::time_point deadline);

/// Performs the request, repeated as the policy allows, and reports each. Sets `traceparent` of the
/// run. The last answer is returned. On the loop of `run.executor`; both arguments must stay until
/// it returns: name them. Throws only std::bad_alloc.
[[nodiscard]] boost::asio::awaitable<http_response> call(const run_view& run,
                                                         const http_request& request,
                                                         const call_policy& policy);

}  // namespace libqueue::processors
