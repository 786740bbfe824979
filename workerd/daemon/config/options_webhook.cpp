#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

webhook_config& webhook_of(config& c) {
    return c.processors.webhook ? *c.processors.webhook : c.processors.webhook.emplace();
}

constexpr std::array rows{
    option{.path = "processors.webhook.secret_file",
           .type = option_type::secret_file,
           .required = true,
           .sample = "webhook-secret",
           .doc =
               "File or systemd credential with the key that signs deliveries: `whsec_` and "
               "base64 of 24 to 64 bytes, or `whsk_` and base64 of an ed25519 key. For jobs that "
               "name a URL. The section `webhook` registers the kind `webhook.deliver`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).secret_file = v.text;
               }},
    option{.path = "processors.webhook.previous_secret_file",
           .type = option_type::secret_file,
           .sample = "webhook-secret-previous",
           .doc = "The key before this one, while receivers change over: every delivery is then "
                  "signed with both, the one of `secret_file` first.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).previous_secret_file = v.text;
               }},
    option{.path = "processors.webhook.timeout",
           .type = option_type::duration,
           .standard = "20s",
           .min = 100,
           .max = 600'000,
           .doc = "For one whole delivery, connecting included.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.webhook.ca_file",
           .type = option_type::file,
           .sample = "/etc/ssl/certs/internal-ca.pem",
           .doc = "Certificates to trust instead of the system's.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).ca_file = v.text;
               }},
    option{.path = "processors.webhook.allow_private",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Deliver to loopback, private and link-local addresses too. Opens the internal "
                  "network to whoever may enqueue; for tests.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).allow_private = v.flag;
               }},
    option{.path = "processors.webhook.allow_http",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Deliver to `http://` as well as `https://`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).allow_http = v.flag;
               }},
    option{.path = "processors.webhook.endpoint_key_file",
           .type = option_type::secret_file,
           .sample = "webhook-endpoint-key",
           .doc = "File or systemd credential with the key that the secrets of all endpoints are "
                  "derived from, 32 bytes as 64 hexadecimal digits (`openssl rand -hex 32`). "
                  "Registers the kinds `webhook.event`, `webhook.publish` and `webhook.prune` and "
                  "creates the schema `webhooks`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).endpoint_key_file = v.text;
               }},
    option{.path = "processors.webhook.previous_endpoint_key_file",
           .type = option_type::secret_file,
           .sample = "webhook-endpoint-key-previous",
           .doc = "The key before that one, while the owners of endpoints change over: every event "
                  "is then signed with the secrets derived from both.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).previous_endpoint_key_file = v.text;
               }},
    option{.path = "processors.webhook.source",
           .type = option_type::text,
           .standard = "/libqueue",
           .min = 1,
           .max = 256,
           .doc = "Where events come from, as a URI reference: `source` of endpoints that want "
                  "CloudEvents.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).source = v.text;
               }},
    option{.path = "processors.webhook.endpoint_cache",
           .type = option_type::duration,
           .standard = "5s",
           .min = 0,
           .max = 300'000,
           .doc = "How long a change of an endpoint may go unnoticed by this process; 0: every "
                  "delivery asks the database.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).endpoint_cache = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.webhook.log_retention",
           .type = option_type::duration,
           .standard = "30d",
           .min = 3'600'000,
           .max = 315'360'000'000,
           .doc = "How long events and the delivery log stay, for replays and questions.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   webhook_of(c).log_retention = std::chrono::milliseconds{v.number};
               }},
};

}  // namespace

std::span<const option> webhook_option_rows() {
    return rows;
}

}  // namespace workerd
