#pragma once

#include "observe/job_counters.hpp"
#include "observe/metric_set.hpp"

#include <prometheus/metric_family.h>

#include <chrono>
#include <string>
#include <vector>

namespace workerd::observe {

/// What the process itself uses.
class process_figures {
   public:
    process_figures();
    [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const;

   private:
    std::chrono::steady_clock::time_point started_;
    double started_at_;
};

/// The worker's counters under their names.
[[nodiscard]] std::vector<prometheus::MetricFamily> families_of(const job_counters& jobs);
/// One gauge without labels, or with those given.
[[nodiscard]] prometheus::MetricFamily gauge_of(
    std::string name, std::string help, double value,
    std::vector<prometheus::ClientMetric::Label> labels = {});

/// Families of one name become one, of the first one's kind; of series with the same labels the
/// first stays, and nothing has a name that the lines of a histogram have. All are put in order.
[[nodiscard]] std::vector<prometheus::MetricFamily> in_order(
    std::vector<prometheus::MetricFamily> families);
/// Text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
[[nodiscard]] std::string as_text(const std::vector<prometheus::MetricFamily>& families);
/// {"metrics": [{"name", "type", "help", "series": [{"labels": {}, "value": 1}]}]}; a histogram's
/// series have count, sum and buckets [[upper bound or "+Inf", cumulative count]].
[[nodiscard]] std::string as_json(const std::vector<prometheus::MetricFamily>& families);

}  // namespace workerd::observe
