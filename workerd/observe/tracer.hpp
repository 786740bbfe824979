#pragma once

#include "logging/logger.hpp"
#include "observe/metric_set.hpp"
#include "observe/options.hpp"
#include "observe/spans.hpp"

#include <libqueue/observer.hpp>
#include <libqueue/trace_context.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace workerd::observe {

/// Where a job's spans are: ids follow from what the job is, so nobody has to keep them.
class job_trace {
   public:
    job_trace() = default;
    libqueue::trace_context enqueue;  ///< of the span `send`
    libqueue::trace_context run;      ///< of the span `process` of this run
    std::uint64_t parent{0};          ///< of `send`; 0: none
};

/// Nothing when the run is not sampled.
[[nodiscard]] std::optional<job_trace> trace_of(const tracing_options& given,
                                                const libqueue::job& job,
                                                std::string_view enqueued);

/// Makes spans of runs and of the requests they send, and exports them to a collector by OTLP/HTTP
/// from a thread of its own. What the collector does not take in time is dropped and counted: no
/// job ever waits for it. Does nothing without an endpoint.
class tracer {
   public:
    tracer(const tracing_options& given, logger& log);
    tracer(const tracer&) = delete;
    tracer& operator=(const tracer&) = delete;
    ~tracer();

    [[nodiscard]] bool on() const noexcept { return !given_.endpoint.empty(); }
    void start();
    /// Exports what waits, for two seconds at most.
    void stop();

    /// Of job_finished and call_made; any thread.
    void on_event(const libqueue::event& e);
    /// For observer::trace_run.
    [[nodiscard]] std::string trace_run(const libqueue::job& run, std::string_view enqueued) const;

    [[nodiscard]] std::uint64_t exported() const;
    [[nodiscard]] std::uint64_t dropped() const;

   private:
    void add(span made);
    void run(const std::stop_token& stop);
    [[nodiscard]] std::vector<span> wait_for_batch(const std::stop_token& stop);
    void send(class http_sender& by, const std::vector<span>& batch, const std::stop_token& stop);
    void note(const char* what, long status);

    const tracing_options given_;
    logger& log_;
    mutable std::mutex mutex_;
    std::condition_variable_any woken_;
    std::vector<span> waiting_;
    std::uint64_t exported_{0};
    std::uint64_t dropped_{0};
    bool failing_{false};
    bool ended_{false};
    std::jthread thread_;
    std::stop_source hurry_;  ///< ends the request under way
};

}  // namespace workerd::observe
