#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

email_config& email_of(config& c) {
    return c.processors.email ? *c.processors.email : c.processors.email.emplace();
}

constexpr std::array rows{
    option{.path = "processors.debug",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "The `debug.*` kinds: echo, sleep, fail and the like, for trying things out.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.processors.debug = v.flag;
               }},
    option{.path = "processors.email.host",
           .type = option_type::text,
           .min = 1,
           .max = 253,
           .required = true,
           .sample = "smtp.internal",
           .doc = "The SMTP server mails are handed to. The section `email` registers the kind "
                  "`email.send`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).host = v.text;
               }},
    option{.path = "processors.email.port",
           .type = option_type::integer,
           .standard = "587",
           .min = 1,
           .max = 65'535,
           .doc = "Its port.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).port = static_cast<int>(v.number);
               }},
    option{.path = "processors.email.tls",
           .type = option_type::choice,
           .standard = "starttls",
           .choices = "none|starttls|tls",
           .doc = "`starttls` demands the upgrade and never falls back; `tls` encrypts from the "
                  "first byte (port 465); `none` is for a server on this host.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).tls = v.text;
               }},
    option{.path = "processors.email.username",
           .type = option_type::text,
           .min = 1,
           .max = 256,
           .sample = "workerd",
           .doc = "Log in as. Needs `password_file` and encryption, except to a loopback host.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).username = v.text;
               }},
    option{.path = "processors.email.password_file",
           .type = option_type::secret_file,
           .sample = "smtp-password",
           .doc = "File or systemd credential that holds the password.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).password_file = v.text;
               }},
    option{.path = "processors.email.from",
           .type = option_type::text,
           .min = 3,
           .max = 320,
           .required = true,
           .sample = "noreply@example.com",
           .doc = "Sender of mails whose job names none.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).from = v.text;
               }},
    option{.path = "processors.email.helo_name",
           .type = option_type::text,
           .min = 1,
           .max = 253,
           .sample = "mail.example.com",
           .doc = "How we introduce ourselves to the server. Unset: the name of this host.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).helo_name = v.text;
               }},
    option{.path = "processors.email.on_unknown",
           .type = option_type::choice,
           .standard = "retry",
           .choices = "retry|park",
           .doc =
               "When the link is lost before the server has said whether it took the mail: `retry` "
               "sends it again with the same Message-ID, perhaps twice; `park` makes it a dead "
               "letter, where a person decides.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).on_unknown = v.text;
               }},
    option{.path = "processors.email.ca_file",
           .type = option_type::file,
           .sample = "/etc/ssl/certs/internal-ca.pem",
           .doc = "Certificates to trust instead of the system's.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).ca_file = v.text;
               }},
    option{.path = "processors.email.timeout",
           .type = option_type::duration,
           .standard = "30s",
           .min = 100,
           .max = 600'000,
           .doc = "For one whole delivery, connecting included.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).timeout = std::chrono::milliseconds{v.number};
               }},
};

}  // namespace

std::span<const option> processor_option_rows() {
    return rows;
}

}  // namespace workerd
