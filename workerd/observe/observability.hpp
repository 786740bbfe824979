#pragma once

#include "logging/logger.hpp"
#include "net/http_server.hpp"
#include "observe/exposition.hpp"
#include "observe/job_counters.hpp"
#include "observe/keeper.hpp"
#include "observe/metric_set.hpp"
#include "observe/options.hpp"
#include "observe/tracer.hpp"

#include <libqueue/client.hpp>
#include <libqueue/worker.hpp>

#include <memory>
#include <string>

namespace workerd::observe {

/// All that measures: what the worker's observer hears becomes counters and spans, a thread of its
/// own keeps samples and, in one process of all, looks at the database, sends canaries and tells of
/// alerts. Outlives the worker.
class observability {
   public:
    observability(const options& given, libqueue::client_options database, logger& log);
    observability(const observability&) = delete;
    observability& operator=(const observability&) = delete;
    ~observability();

    /// On the worker's loop thread.
    void on_event(const libqueue::event& e) noexcept;
    /// Any thread.
    [[nodiscard]] std::string trace_run(const libqueue::job& run, std::string_view enqueued) const;

    /// Before start: who tells the channels of alerts.
    void tell_by(teller how) { keeper_.tell_by(std::move(how)); }
    void start(const libqueue::worker& worker);
    /// What is not written yet is, within a moment.
    void stop();

    /// GET /metrics and /metrics/json. Never asks the database.
    [[nodiscard]] boost::asio::awaitable<http_response> answer(http_request request);
    [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const;
    /// For whoever counts something of its own: HTTP, reloads. Any thread.
    [[nodiscard]] metric_set& metrics() noexcept { return told_; }
    /// How far the database's clock is ahead, as last measured.
    [[nodiscard]] const keeper& keeping() const noexcept { return keeper_; }

   private:
    const options given_;
    const libqueue::worker* worker_{nullptr};
    process_figures process_;
    job_counters jobs_;
    metric_set told_;      // what handlers and others tell
    metric_set database_;  // of the one process that looks
    tracer tracer_;
    keeper keeper_;
};

/// The kind of canary jobs.
[[nodiscard]] libqueue::registration canary_registration();

}  // namespace workerd::observe
