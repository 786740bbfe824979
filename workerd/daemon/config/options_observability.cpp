#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

using value = option_value;

constexpr std::int64_t day_ms = 86'400'000;

alert_rule_config& rule_of(config& c, const std::string& name) {
    return c.alerts.rules[name];
}

constexpr std::array metric_rows{
    option{.path = "metrics.enabled",
           .type = option_type::boolean,
           .standard = "true",
           .doc = "Count what the worker does, serve `/metrics` and `/metrics/json`, keep samples "
                  "for charts, and measure the whole database from one process of all.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.metrics.enabled = v.flag;
               }},
    option{.path = "metrics.listen",
           .type = option_type::address,
           .sample = "127.0.0.1:9464",
           .doc = "Serve them here, on a listener of their own, and not at `http.listen`.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.metrics.listen = v.text;
               }},
    option{.path = "metrics.interval",
           .type = option_type::duration,
           .standard = "15s",
           .min = 100,
           .max = 3'600'000,
           .doc = "How often the database is measured. It takes a twentieth of the time at most: a "
                  "long line of jobs is counted more seldom.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.metrics.interval = std::chrono::milliseconds{v.number};
               }},
    option{.path = "metrics.canary",
           .type = option_type::duration,
           .standard = "0s",
           .min = 0,
           .max = day_ms,
           .doc = "How often a job of kind `queue.canary` is sent through every queue that is "
                  "served, whose way is measured; 15s is usual, 0 sends none. They are kept for an "
                  "hour and count only as claims.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.metrics.canary = std::chrono::milliseconds{v.number};
               }},
    option{.path = "tracing.endpoint",
           .type = option_type::text,
           .min = 1,
           .max = 2'048,
           .sample = "http://127.0.0.1:4318/v1/traces",
           .doc = "Where spans go by OTLP/HTTP (JSON). Unset: what "
                  "`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` says; "
                  "without either nothing is traced. See docs/tracing.md for the other variables.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.tracing.endpoint = v.text;
               }},
    option{.path = "tracing.parent",
           .type = option_type::choice,
           .standard = "creation",
           .choices = "creation|link",
           .doc = "`creation`: a run is in the trace it was enqueued in; `link`: it has a trace of "
                  "its own that is linked to that one.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.tracing.parent = v.text;
               }},
    option{.path = "tracing.queue_size",
           .type = option_type::integer,
           .standard = "8192",
           .min = 64,
           .max = 1'000'000,
           .doc = "Spans that may wait for the collector; more are dropped and counted.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.tracing.queue_size = static_cast<int>(v.number);
               }},
    option{.path = "tracing.ca_file",
           .type = option_type::file,
           .sample = "/etc/workerd/collector-ca.pem",
           .doc = "Certificates the collector is checked against, in place of the system's.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.tracing.ca_file = v.text;
               }},
};

constexpr std::array alert_rows{
    option{.path = "alerts.enabled",
           .type = option_type::boolean,
           .standard = "true",
           .doc = "Evaluate rules and tell channels, from one process of all. Needs "
                  "`metrics.enabled`. See docs/alerts.md.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.enabled = v.flag;
               }},
    option{.path = "alerts.rules.*.when",
           .type = option_type::choice,
           .choices = "depth|oldest|failures|dead_letters|wallet|canary|circuit|workers",
           .required = true,
           .sample = "depth",
           .doc = "What the rule looks at: jobs in line, seconds the oldest has waited, runs that "
                  "failed within ten minutes, dead letters, SOL of the minting wallet, seconds a "
                  "canary is on its way, open circuits of a limit, live workers of a queue in "
                  "which jobs stand. Rules that are written here replace the standard ones.",
           .bind =
               [](config& c, const std::string& name, const value& v) {
                   rule_of(c, name).when = v.text;
               }},
    option{.path = "alerts.rules.*.queue",
           .type = option_type::name,
           .min = 1,
           .max = 64,
           .sample = "money",
           .doc = "The queue, or limit, it is about; unset: each.",
           .bind =
               [](config& c, const std::string& name, const value& v) {
                   rule_of(c, name).queue = v.text;
               }},
    option{.path = "alerts.rules.*.limit",
           .type = option_type::text,
           .min = 1,
           .max = 32,
           .required = true,
           .sample = "50",
           .doc = "Over it (of wallet and workers: under it) there is an alert. A number.",
           .bind =
               [](config& c, const std::string& name, const value& v) {
                   rule_of(c, name).limit = v.text;
               }},
    option{.path = "alerts.rules.*.severity",
           .type = option_type::choice,
           .standard = "warning",
           .choices = "critical|warning|info",
           .doc = "How bad it is.",
           .bind =
               [](config& c, const std::string& name, const value& v) {
                   rule_of(c, name).severity = v.text;
               }},
    option{.path = "alerts.rules.*.cool_down",
           .type = option_type::duration,
           .min = 1'000,
           .max = 30 * day_ms,
           .sample = "5m",
           .doc = "How long until the channels are told again while it goes on. Unset: 5 minutes "
                  "of critical ones, an hour of warnings, a day of others.",
           .bind =
               [](config& c, const std::string& name, const value& v) {
                   rule_of(c, name).cool_down = std::chrono::milliseconds{v.number};
               }},
    option{.path = "alerts.rules.*.channels",
           .type = option_type::text_list,
           .standard = "log",
           .doc = "Who is told: log, mail, webhook, slack, pagerduty, sms, call.",
           .bind =
               [](config& c, const std::string& name, const value& v) {
                   rule_of(c, name).channels = v.list;
               }},
    option{.path = "alerts.channels.critical",
           .type = option_type::text_list,
           .sample = "[sms, call]",
           .doc = "Channels, beside the log, of the standard rules that are critical.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.critical = v.list;
               }},
    option{.path = "alerts.channels.warning",
           .type = option_type::text_list,
           .sample = "[slack]",
           .doc = "The same for those that are warnings.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.warning = v.list;
               }},
    option{.path = "alerts.resolved.channels",
           .type = option_type::text_list,
           .standard = "log,mail,webhook,slack,pagerduty,sms,call",
           .doc = "Channels that are told that an alert is over, of those that were told that it "
                  "fires. `[]`: none.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.resolved_channels = v.list;
               }},
    option{.path = "alerts.resolved.after",
           .type = option_type::duration,
           .standard = "5m",
           .min = 0,
           .max = day_ms,
           .doc = "How long it must have been over. One that comes again earlier is the same to "
                  "the channels, one that comes again later is told at once.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.resolved_after = std::chrono::milliseconds{v.number};
               }},
    option{.path = "alerts.mail.to",
           .type = option_type::text_list,
           .sample = "[oncall@example.com]",
           .doc = "Addresses of the channel `mail`, which uses the server of `processors.email`.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.mail_to = v.list;
               }},
    option{.path = "alerts.sms.to",
           .type = option_type::text_list,
           .sample = "[\"+15551234567\"]",
           .doc = "Numbers of the channel `sms`, which uses the provider of `processors.sms`.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.sms_to = v.list;
               }},
    option{.path = "alerts.call.to",
           .type = option_type::text_list,
           .sample = "[\"+15551234567\"]",
           .doc = "Numbers of the channel `call`: the same provider reads the notice out.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.call_to = v.list;
               }},
    option{.path = "alerts.webhook.url",
           .type = option_type::text,
           .min = 1,
           .max = 2'048,
           .sample = "https://hooks.example.com/libqueue",
           .doc = "Where the channel `webhook` posts, signed as all webhooks are.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.webhook_url = v.text;
               }},
    option{.path = "alerts.webhook.secret_file",
           .type = option_type::secret_file,
           .sample = "alert-webhook-secret",
           .doc = "File or systemd credential with the signing key, `whsec_...`.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.webhook_secret_file = v.text;
               }},
    option{.path = "alerts.slack.url_file",
           .type = option_type::secret_file,
           .sample = "alert-slack-url",
           .doc = "File or systemd credential with the address of an incoming webhook of Slack.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.slack_url_file = v.text;
               }},
    option{.path = "alerts.pagerduty.key_file",
           .type = option_type::secret_file,
           .sample = "alert-pagerduty-key",
           .doc = "File or systemd credential with the integration key of PagerDuty (Events v2).",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.pagerduty_key_file = v.text;
               }},
    option{.path = "alerts.pagerduty.url",
           .type = option_type::text,
           .standard = "https://events.pagerduty.com/v2/enqueue",
           .min = 1,
           .max = 2'048,
           .doc = "Where PagerDuty's events go.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.pagerduty_url = v.text;
               }},
    option{.path = "alerts.allow_private",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Post to `http://` and to private addresses too; for tests.",
           .bind =
               [](config& c, const std::string&, const value& v) {
                   c.alerts.allow_private = v.flag;
               }},
};

}  // namespace

std::span<const option> metric_option_rows() {
    return metric_rows;
}

std::span<const option> alert_option_rows() {
    return alert_rows;
}

}  // namespace workerd
