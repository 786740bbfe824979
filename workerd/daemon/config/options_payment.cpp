#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

payment_config& payment_of(config& c) {
    return c.processors.payment ? *c.processors.payment : c.processors.payment.emplace();
}

constexpr std::array rows{
    option{.path = "processors.payment.provider",
           .type = option_type::choice,
           .standard = "stripe",
           .choices = "stripe|internal",
           .doc = "Who holds the money. The section `payment` registers the kinds `payment.*` and "
                  "`refund.*`, which are under the limit of the provider's name: for `stripe` 25 "
                  "at once, 5/s and 10 running, for `internal` 100, 50/s and 50, unless `limits` "
                  "says otherwise.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).provider = v.text;
               }},
    option{.path = "processors.payment.key_file",
           .type = option_type::secret_file,
           .required = true,
           .sample = "payment-key",
           .doc = "File or systemd credential. For `stripe` a restricted key that may write "
                  "payment intents and refunds; for `internal` the key both services share, 32 "
                  "bytes or more.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).key_file = v.text;
               }},
    option{.path = "processors.payment.base_url",
           .type = option_type::text,
           .min = 1,
           .max = 2048,
           .sample = "https://payments.internal",
           .doc = "Where the provider is, without a slash at the end. Unset: Stripe's own; "
                  "`internal` needs it.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).base_url = v.text;
               }},
    option{.path = "processors.payment.service",
           .type = option_type::name,
           .standard = "workerd",
           .min = 1,
           .max = 64,
           .doc = "Our name in the signed requests to `internal`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).service = v.text;
               }},
    option{.path = "processors.payment.timeout",
           .type = option_type::duration,
           .standard = "20s",
           .min = 100,
           .max = 600'000,
           .doc = "For all requests of one run.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.payment.action_timeout",
           .type = option_type::duration,
           .standard = "1d",
           .min = 60'000,
           .max = 604'800'000,
           .doc = "How long a customer may take to confirm a payment before it is cancelled.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).action_timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.payment.max_amount",
           .type = option_type::integer,
           .standard = "99999999",
           .min = 1,
           .max = 999'999'999'999,
           .doc = "The largest payment and refund, in minor units of its currency.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).max_amount = v.number;
               }},
    option{.path = "processors.payment.ca_file",
           .type = option_type::file,
           .sample = "/etc/ssl/certs/internal-ca.pem",
           .doc = "Certificates to trust instead of the system's.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).ca_file = v.text;
               }},
    option{.path = "processors.payment.allow_http",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Accept a `base_url` of `http://`. For tests.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   payment_of(c).allow_http = v.flag;
               }},
};

}  // namespace

std::span<const option> payment_option_rows() {
    return rows;
}

}  // namespace workerd
