#pragma once

#include <libqueue/job.hpp>
#include <libqueue/job_context.hpp>
#include <libqueue/measures.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <type_traits>

namespace libqueue::processors {

/// What a processor needs of its run, apart from the engine: tests build one by hand. Refers to
/// the job, so it must not outlive the handler.
class run_view {
   public:
    explicit run_view(const libqueue::job& job_)
        : job{job_}, idempotency_key{"job:" + std::to_string(job_.id)} {}
    explicit run_view(job_context& context);

    /// Why the run should stop; `none` when nobody can tell.
    [[nodiscard]] libqueue::stop_reason stop_reason() const;

    /// What came of a request, for the circuit breakers of the job's limits (job_context.hpp). Of a
    /// run made by hand nobody is told.
    void provider_ok() const;
    void provider_failed() const;
    void provider_throttled(std::chrono::milliseconds retry_after) const;
    /// Of a request that was sent, for the worker's observer; of a run made by hand nobody is told.
    void call_made(outbound_call what) const;
    /// A line for the job's log; of a run made by hand nobody keeps one.
    void log(log_level level, std::string text) const;

    const libqueue::job& job;
    std::string idempotency_key;
    std::string traceparent;
    bool traced{false};  ///< somebody records the run's span: requests get spans of their own
    std::stop_token stop;
    std::chrono::steady_clock::time_point deadline{std::chrono::steady_clock::time_point::max()};
    boost::asio::any_io_executor executor;  ///< empty for blocking handlers
    std::function<libqueue::stop_reason()> reason;

   private:
    job_context* context_{nullptr};
};
static_assert(!std::is_aggregate_v<run_view>);

/// What to answer after being stopped before the effect: cancelled, snooze (the worker leaves; no
/// attempt is burnt) or retry (the kind's timeout, or the reason is not known).
[[nodiscard]] outcome stopped_outcome(libqueue::stop_reason reason);

/// An id that is the same on every attempt of the job and no other job's: what receivers
/// deduplicate by. Letters, digits, `_`, `-` and `:` only, at most 128 characters.
///
/// An explicit idempotency key is used as it is when it fits; with a tenant, or other characters,
/// its hash is. Jobs without a key get their id and a trace of their creation time, because ids
/// start again at 1 in a new database while the receiver's memory does not.
[[nodiscard]] std::string delivery_id(const run_view& run);

}  // namespace libqueue::processors
