#pragma once

#include <libqueue/job.hpp>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// What handlers tell beyond their outcome, for whoever observes the worker (observer.hpp). The
// library keeps none of it.

namespace libqueue {

/// Names and values that tell apart the counters of one name. Values from a small, closed set: each
/// combination is a series of its own for whoever collects them. Never a tenant, a person or an id.
using measure_labels = std::vector<std::pair<std::string, std::string>>;

/// Something a handler counted, or the present level of something.
class measure {
   public:
    enum class type {
        count,  ///< adds to a counter; the name ends in _total
        level,  ///< replaces what was there
    };
    measure(type what_, std::string name_, double value_, measure_labels labels_)
        : what{what_}, name{std::move(name_)}, value{value_}, labels{std::move(labels_)} {}

    type what;
    std::string name;  ///< [a-z][a-z0-9_]*, at most 100, not libqueue_; so are names of labels
    double value;
    measure_labels labels;
};
static_assert(!std::is_aggregate_v<measure>);

/// One request a handler sent to another service.
class outbound_call {
   public:
    outbound_call(std::string method_, std::string host_)
        : method{std::move(method_)}, host{std::move(host_)} {}

    std::string method;
    std::string host;         ///< without path, user and query, which may hold secrets
    int status{0};            ///< of the answer; 0 without one
    std::string error_type;   ///< why there was none: timed_out, failed, stopped, ...; else empty
    std::string traceparent;  ///< the context it carried, or empty
    time_point started_at{};
    std::chrono::microseconds duration{0};
};
static_assert(!std::is_aggregate_v<outbound_call>);

}  // namespace libqueue
