#pragma once

#include <chrono>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace workerd::observe {

class tracing_options {
   public:
    tracing_options() = default;
    std::string endpoint;  ///< whole URL of the traces; empty: no tracing
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::pair<std::string, std::string>> resource;
    std::string service_name{"workerd"};
    std::string ca_file;
    double ratio{1};       ///< of the traces that begin here
    bool follow{true};     ///< what the enqueuer decided counts
    bool as_child{true};   ///< the run is in the enqueuer's trace, else only linked to it
    int queue_size{8192};  ///< spans that wait; more are dropped and counted
    int batch_size{512};
    std::chrono::milliseconds interval{1'000};
    std::chrono::milliseconds timeout{10'000};
};
static_assert(!std::is_aggregate_v<tracing_options>);

/// One rule: something of a queue, or of what there is one of, is above or below a figure.
class alert_rule {
   public:
    alert_rule() = default;
    std::string name;
    std::string when;   ///< depth, oldest, failures, dead_letters, wallet, canary, circuit, workers
    std::string queue;  ///< empty: each
    double limit{0};
    std::string severity{"warning"};
    std::vector<std::string> channels;
    std::chrono::milliseconds cool_down{3'600'000};
};
static_assert(!std::is_aggregate_v<alert_rule>);

/// Where notices go. A channel without its settings is not there.
class channel_options {
   public:
    channel_options() = default;
    std::vector<std::string> mail_to;
    std::string webhook_url;
    std::string webhook_secret;  ///< whsec_...
    std::string slack_url;
    std::string pagerduty_url{"https://events.pagerduty.com/v2/enqueue"};
    std::string pagerduty_key;
    std::vector<std::string> sms_to;
    std::vector<std::string> call_to;
    bool allow_private{false};  ///< and http: for tests
};
static_assert(!std::is_aggregate_v<channel_options>);

class options {
   public:
    options() = default;
    std::string holder;  ///< this start of this process, unlike any other
    bool dev{false};
    bool keeps{true};  ///< samples, gauges, canaries and alerts; else counters alone
    std::chrono::milliseconds look_interval{15'000};
    std::chrono::milliseconds canary_interval{0};  ///< 0: no canaries
    bool alerts{true};
    std::vector<alert_rule> rules;
    std::vector<std::string> end_channels;         ///< told that it is over, if told that it fires
    std::chrono::milliseconds end_after{300'000};  ///< once it has been over for so long
    channel_options channels;
    tracing_options tracing;
};
static_assert(!std::is_aggregate_v<options>);

}  // namespace workerd::observe
