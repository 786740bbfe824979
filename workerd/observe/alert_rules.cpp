#include "observe/alert_rules.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>
#include <utility>

namespace workerd::observe {

namespace {

namespace json = boost::json;
using values = std::map<std::string, double>;
using prometheus::ClientMetric;

std::string label(const ClientMetric& of, std::string_view name) {
    for (const auto& each : of.label) {
        if (each.name == name)
            return each.value;
    }
    return {};
}

/// What a rule looks at, and how it says what it found.
class measure {
   public:
    std::string_view when;
    values alert_facts::*of;
    bool below;  ///< wrong when it is less, not more, than the limit
    std::string_view says;
};

constexpr std::array measures{
    measure{"depth", &alert_facts::depth, false, "{1} jobs stand in queue {0}"},
    measure{"oldest", &alert_facts::oldest, false, "a job of queue {0} has waited for {1} s"},
    measure{"failures", &alert_facts::failures, false,
            "{1} runs of queue {0} failed within ten minutes"},
    measure{"dead_letters", &alert_facts::dead_letters, false, "queue {0} has {1} dead letters"},
    measure{"wallet", &alert_facts::wallet, true, "the minting wallet holds {1} SOL"},
    measure{"canary", &alert_facts::canary, false,
            "a canary job of queue {0} has been on its way for {1} s"},
    measure{"circuit", &alert_facts::circuit, false, "{1} circuits of limit {0} are open"},
    measure{"workers", &alert_facts::workers, true,
            "queue {0} has jobs in line and {1} live workers"},
};

bool is_wrong(const measure& how, const alert_rule& rule, const alert_facts& facts,
              const std::string& subject, double value) {
    // A queue where nothing stands needs nobody.
    if (how.of == &alert_facts::workers) {
        const auto depth = facts.depth.find(subject);
        if (depth == facts.depth.end() || depth->second <= 0)
            return false;
    }
    return how.below ? value < rule.limit : value > rule.limit;
}

json::object found(const measure& how, const alert_rule& rule, const std::string& subject,
                   double value) {
    json::array channels;
    for (const auto& channel : rule.channels)
        channels.emplace_back(channel);
    json::object made;
    made["rule"] = rule.name;
    made["subject"] = subject;
    made["severity"] = rule.severity;
    made["summary"] = fmt::format(fmt::runtime(how.says), subject, fmt::format("{:.6g}", value));
    made["value"] = value;
    made["threshold"] = rule.limit;
    made["channels"] = std::move(channels);
    made["cool_down"] = static_cast<double>(rule.cool_down.count()) / 1000.0;
    return made;
}

alert_rule rule_of(std::string name, std::string when, std::string queue, double limit,
                   std::string severity, const std::vector<std::string>& channels) {
    alert_rule made;
    made.name = std::move(name);
    made.when = std::move(when);
    made.queue = std::move(queue);
    made.limit = limit;
    made.severity = std::move(severity);
    made.channels.emplace_back("log");
    made.channels.insert(made.channels.end(), channels.begin(), channels.end());
    made.cool_down = standard_cool_down(made.severity);
    return made;
}

}  // namespace

void alert_facts::add(std::string_view metric, const ClientMetric& value) {
    const double number = value.gauge.value;
    if (metric == "queue_size")
        depth[label(value, "queue")] = number;
    else if (metric == "libqueue_queue_oldest_waiting_seconds")
        oldest[label(value, "queue")] = number;
    else if (metric == "libqueue_queue_jobs" && label(value, "state") == "dead")
        dead_letters[label(value, "queue")] = number;
    else if (metric == "libqueue_workers")
        workers[label(value, "queue")] = number;
    else if (metric == "libqueue_canary_age_seconds")
        canary[label(value, "queue")] = number;
    else if (metric == "libqueue_circuits_open")
        circuit[label(value, "limit")] = number;
    else if (metric == "solana_wallet_balance_sol")
        wallet[""] = number;
}

std::chrono::milliseconds standard_cool_down(std::string_view severity) {
    if (severity == "critical")
        return std::chrono::minutes{5};
    return severity == "warning" ? std::chrono::hours{1} : std::chrono::hours{24};
}

std::vector<alert_rule> standard_rules(const std::vector<std::string>& critical,
                                       const std::vector<std::string>& warning) {
    return {
        rule_of("money_depth", "depth", "money", 50, "critical", critical),
        rule_of("money_oldest", "oldest", "money", 600, "critical", critical),
        rule_of("money_failures", "failures", "money", 10, "critical", critical),
        rule_of("communication_depth", "depth", "communication", 5'000, "warning", warning),
        rule_of("background_depth", "depth", "background", 50'000, "warning", {}),
        rule_of("wallet_low", "wallet", "", 0.01, "warning", warning),
        rule_of("canary_late", "canary", "", 60, "critical", critical),
        rule_of("circuit_open", "circuit", "", 0, "warning", warning),
        rule_of("no_worker", "workers", "", 1, "critical", critical),
    };
}

std::string firing(const std::vector<alert_rule>& rules, const alert_facts& facts) {
    json::array all;
    for (const auto& rule : rules) {
        for (const auto& how : measures) {
            if (how.when != rule.when)
                continue;
            for (const auto& [subject, value] : facts.*how.of) {
                const bool meant = rule.queue.empty() || rule.queue == subject;
                if (meant && is_wrong(how, rule, facts, subject, value))
                    all.push_back(found(how, rule, subject, value));
            }
        }
    }
    return json::serialize(all);
}

}  // namespace workerd::observe
