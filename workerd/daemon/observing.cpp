#include "observing.hpp"

#include "mail_options.hpp"
#include "observe/alert_rules.hpp"
#include "observe/channels.hpp"
#include "registry.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <string_view>
#include <utility>

namespace workerd {

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

std::string decoded(std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const std::string digits{text.substr(i + 1, 2)};
            made += static_cast<char>(std::strtol(digits.c_str(), nullptr, 16));
            i += 2;
        } else {
            made += text[i];
        }
    }
    return made;
}

/// "a=1,b=2", percent-encoded: the form of W3C baggage that OTEL_* variables have.
std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> made;
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        const auto one = text.substr(0, end);
        const auto equals = one.find('=');
        if (equals != std::string_view::npos && equals > 0)
            made.emplace_back(decoded(one.substr(0, equals)), decoded(one.substr(equals + 1)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return made;
}

std::string endpoint_of(const config& value) {
    if (variable("OTEL_SDK_DISABLED") == "true" || variable("OTEL_TRACES_EXPORTER") == "none")
        return {};
    if (!value.tracing.endpoint.empty())
        return value.tracing.endpoint;
    if (auto whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); !whole.empty())
        return whole;
    auto base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (base.empty())
        return {};
    while (base.ends_with('/'))
        base.pop_back();
    return base + "/v1/traces";
}

void set_sampler(observe::tracing_options& to) {
    const auto sampler = variable("OTEL_TRACES_SAMPLER");
    if (sampler.empty())
        return;
    to.follow = sampler.starts_with("parentbased_");
    if (sampler.ends_with("always_off"))
        to.ratio = 0;
    if (sampler.ends_with("traceidratio")) {
        const auto share = variable("OTEL_TRACES_SAMPLER_ARG");
        to.ratio = share.empty() ? 1 : std::clamp(std::strtod(share.c_str(), nullptr), 0.0, 1.0);
    }
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

observe::tracing_options tracing_of(const config& value) {
    observe::tracing_options made;
    made.endpoint = endpoint_of(value);
    made.as_child = value.tracing.parent != "link";
    made.queue_size = value.tracing.queue_size;
    made.ca_file = value.tracing.ca_file;
    made.headers = pairs_of(variable("OTEL_EXPORTER_OTLP_HEADERS"));
    if (const auto time = variable("OTEL_EXPORTER_OTLP_TIMEOUT"); !time.empty())
        made.timeout = std::chrono::milliseconds{
            std::clamp(std::strtol(time.c_str(), nullptr, 10), 100L, 60'000L)};
    made.resource = pairs_of(variable("OTEL_RESOURCE_ATTRIBUTES"));
    const auto name = variable("OTEL_SERVICE_NAME");
    std::erase_if(made.resource,
                  [&](const auto& each) { return each.first == "service.name" && !name.empty(); });
    const bool is_named =
        std::any_of(made.resource.begin(), made.resource.end(),
                    [](const auto& each) { return each.first == "service.name"; });
    if (!is_named)
        made.resource.emplace_back("service.name", name.empty() ? "workerd" : name);
    made.resource.emplace_back("service.instance.id",
                               value.worker.name.empty()
                                   ? fmt::format("{}:{}", host_name(), ::getpid())
                                   : value.worker.name);
    set_sampler(made);
    return made;
}

std::vector<observe::alert_rule> rules_of(const alerts_config& given) {
    if (given.rules.empty())
        return observe::standard_rules(given.critical, given.warning);
    std::vector<observe::alert_rule> made;
    for (const auto& [name, rule] : given.rules) {
        observe::alert_rule& one = made.emplace_back();
        one.name = name;
        one.when = rule.when;
        one.queue = rule.queue;
        one.limit = std::strtod(rule.limit.c_str(), nullptr);
        one.severity = rule.severity;
        one.channels = rule.channels;
        one.cool_down = rule.cool_down.value_or(observe::standard_cool_down(rule.severity));
    }
    return made;
}

observe::channel_options channels_of(const alerts_config& given) {
    observe::channel_options made;
    made.mail_to = given.mail_to;
    made.sms_to = given.sms_to;
    made.call_to = given.call_to;
    made.webhook_url = given.webhook_url;
    made.webhook_secret = given.webhook_secret;
    made.slack_url = given.slack_url;
    made.pagerduty_key = given.pagerduty_key;
    made.pagerduty_url = given.pagerduty_url;
    made.allow_private = given.allow_private;
    return made;
}

}  // namespace

std::unique_ptr<observe::observability> make_observability(const config& value, bool dev,
                                                           logger& log) {
    if (!value.metrics.enabled)
        return nullptr;
    observe::options made;
    // Not its name: two starts of one process must not share their samples.
    made.holder = fmt::format("{}:{}:{:08x}", host_name(), ::getpid(), std::random_device{}());
    made.dev = dev;
    made.look_interval = value.metrics.interval;
    made.canary_interval = value.metrics.canary;
    made.alerts = value.alerts.enabled;
    made.rules = rules_of(value.alerts);
    made.end_channels = value.alerts.resolved_channels;
    made.end_after = value.alerts.resolved_after;
    made.channels = channels_of(value.alerts);
    made.tracing = tracing_of(value);
    libqueue::client_options database{complete_dsn(value, value.database.dsn)};
    database.schema = value.database.schema;
    database.application_name = "workerd observe";
    database.connect_timeout = value.database.connect_timeout;
    auto tellers = std::make_shared<observe::channels>(made.channels, email_options(value),
                                                       sms_options(value), log);
    auto all = std::make_unique<observe::observability>(made, std::move(database), log);
    all->tell_by([tellers](const observe::notice& what, const std::string& channel) {
        return tellers->tell(what, channel);
    });
    return all;
}

}  // namespace workerd
