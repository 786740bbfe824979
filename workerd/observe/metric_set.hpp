#pragma once

#include <libqueue/measures.hpp>

#include <prometheus/metric_family.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace workerd::observe {

/// Counters, gauges and histograms that come seldom: what handlers count, HTTP requests, alerts. By
/// name and labels; of one name the first 200 series are kept apart, later ones become one whose
/// labels say `other` (ten where the names of labels differ, then one without labels). What would
/// make a name mean two things, or be the 501st name, is refused and counted as that. Any thread.
class metric_set {
   public:
    using labels = libqueue::measure_labels;

    /// Counters start at 0 when they are first named, with 0 perhaps, so that their first increase
    /// is seen.
    void add(std::string_view name, const labels& of = {}, double much = 1);
    void set(std::string_view name, const labels& of, double value);
    /// In the buckets of libqueue::sample_bounds.
    void observe(std::string_view name, const labels& of, double seconds);
    /// Replaces all series of these gauges at once; those that are gone are gone.
    class value_of {
       public:
        value_of(std::string name_, labels of_, double value_)
            : name{std::move(name_)}, of{std::move(of_)}, value{value_} {}
        std::string name;
        labels of;
        double value;
    };
    void replace(const std::vector<value_of>& all);
    /// Something was refused, here or before it came here.
    void note_refused();
    [[nodiscard]] std::uint64_t refused() const;
    /// How often something was told with labels that became `other`.
    [[nodiscard]] std::uint64_t folded() const;
    /// The value of a gauge or counter, or nothing.
    [[nodiscard]] double value(std::string_view name, const labels& of, double otherwise) const;

    [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const;

   private:
    class series {
       public:
        labels of;
        double value{0};
        std::vector<std::uint64_t> buckets;
        double sum{0};
    };
    class family {
       public:
        prometheus::MetricType type{prometheus::MetricType::Gauge};
        std::map<labels, series> all;
    };
    /// Null: refused.
    series* at(std::string_view name, const labels& of, prometheus::MetricType type);

    mutable std::mutex mutex_;
    std::uint64_t refused_{0};
    std::uint64_t folded_{0};
    std::map<std::string, family, std::less<>> families_;
};

/// What a metric of ours means; a general word for what handlers invent.
[[nodiscard]] std::string help_of(std::string_view name);

/// A histogram of cumulative buckets as Prometheus wants it. `counts` has one more than the bounds.
[[nodiscard]] prometheus::ClientMetric::Histogram histogram_of(const std::uint64_t* counts,
                                                               double sum);

}  // namespace workerd::observe
