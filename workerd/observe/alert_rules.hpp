#pragma once

#include "observe/options.hpp"

#include <prometheus/client_metric.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace workerd::observe {

/// What rules are about. Pure values.
class alert_facts {
   public:
    alert_facts() = default;
    void add(std::string_view metric, const prometheus::ClientMetric& value);

    std::map<std::string, double> depth;         ///< by queue: what is in line
    std::map<std::string, double> oldest;        ///< by queue: seconds
    std::map<std::string, double> dead_letters;  ///< by queue
    std::map<std::string, double> failures;      ///< by queue: runs in ten minutes
    std::map<std::string, double> workers;       ///< by queue: live ones
    std::map<std::string, double> canary;        ///< by queue: seconds on the way
    std::map<std::string, double> circuit;       ///< by limit: open ones
    std::map<std::string, double> wallet;        ///< SOL; one entry with an empty name
};

/// The rules of the requirements for the queues money, communication and background, and what goes
/// for every installation. `channels`: of critical and of warning ones beside the log.
[[nodiscard]] std::vector<alert_rule> standard_rules(const std::vector<std::string>& critical,
                                                     const std::vector<std::string>& warning);

/// What is wrong now, as queue.update_alerts wants it.
[[nodiscard]] std::string firing(const std::vector<alert_rule>& rules, const alert_facts& facts);

/// 5 min, 1 h, 24 h.
[[nodiscard]] std::chrono::milliseconds standard_cool_down(std::string_view severity);

}  // namespace workerd::observe
