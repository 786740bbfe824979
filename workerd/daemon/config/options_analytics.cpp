#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

analytics_config& analytics_of(config& c) {
    return c.processors.analytics ? *c.processors.analytics : c.processors.analytics.emplace();
}

constexpr std::array rows{
    option{.path = "processors.analytics.customer_key_file",
           .type = option_type::secret_file,
           .required = true,
           .sample = "analytics-customer-key",
           .doc = "File or systemd credential with the key, at least 32 bytes, that turns customer "
                  "ids into pseudonyms. With another key every customer becomes a new one. The "
                  "section `analytics` registers the kinds `analytics.event`, `.batch`, "
                  "`.scores`, `.attribution`, `.alerts` and `.prune`, and makes their tables.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   analytics_of(c).customer_key_file = v.text;
               }},
    option{.path = "processors.analytics.max_late",
           .type = option_type::duration,
           .standard = "7d",
           .min = 0,
           .max = 365LL * 86'400'000,
           .doc = "How long before its job was enqueued an event may have happened. Older ones are "
                  "listed in `analytics.rejected`, not counted.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   analytics_of(c).max_late = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.analytics.max_ahead",
           .type = option_type::duration,
           .standard = "1h",
           .min = 0,
           .max = 7LL * 86'400'000,
           .doc = "How far an event may lie ahead of the time its job was enqueued.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   analytics_of(c).max_ahead = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.analytics.slack_url_file",
           .type = option_type::secret_file,
           .sample = "slack-webhook-url",
           .doc = "File or systemd credential with the address of an incoming webhook of Slack; "
                  "registers the kind `analytics.slack`, which alert rules can name.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   analytics_of(c).slack_url_file = v.text;
               }},
    option{.path = "processors.analytics.slack_allow_private",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Post to `http://` and to private addresses too; for tests.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   analytics_of(c).slack_allow_private = v.flag;
               }},
};

}  // namespace

std::span<const option> analytics_option_rows() {
    return rows;
}

}  // namespace workerd
