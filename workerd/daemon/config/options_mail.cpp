#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

email_config& email_of(config& c) {
    return c.processors.email ? *c.processors.email : c.processors.email.emplace();
}

sms_config& sms_of(config& c) {
    return c.processors.sms ? *c.processors.sms : c.processors.sms.emplace();
}

constexpr std::array rows{
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
    option{.path = "processors.email.bearer_file",
           .type = option_type::file,
           .sample = "/run/workerd/mail-token",
           .doc = "Instead of a password: a file with the OAuth 2 access token of `username` "
                  "(XOAUTH2, OAUTHBEARER). Read for every mail, so that whoever renews it replaces "
                  "the file; only its owner may read it.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).bearer_file = v.text;
               }},
    option{.path = "processors.email.unsubscribe_url",
           .type = option_type::text,
           .min = 16,
           .max = 512,
           .sample = "https://example.com/unsubscribe?token={token}",
           .doc =
               "Where `{token}` unsubscribes: goes into List-Unsubscribe and the template "
               "variable `unsubscribe_url` of mails in categories other than `transactional` and "
               "`critical`. What answers there calls `contacts.unsubscribe(token)`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).unsubscribe_url = v.text;
               }},
    option{.path = "processors.email.per_minute",
           .type = option_type::integer,
           .standard = "1000",
           .min = 0,
           .max = 1'000'000,
           .doc = "How many mails all workers together send within a minute at most, as the limit "
                  "`email`; a limit of that name under `limits`, or another for the kind, goes "
                  "before it. 0: any number.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).per_minute = static_cast<int>(v.number);
               }},
    option{.path = "processors.email.hourly_per_recipient",
           .type = option_type::integer,
           .standard = "20",
           .min = 0,
           .max = 1'000'000,
           .doc = "How many mails one address gets within an hour at most; the rest waits. 0: any "
                  "number.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).hourly_per_recipient = static_cast<int>(v.number);
               }},
    option{.path = "processors.email.stores",
           .type = option_type::boolean,
           .standard = "true",
           .doc = "Use the schemas `mail` and `contacts`: templates, preferences, suppressions. "
                  "Without, only mails that bring their text are sent, and to everybody.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   email_of(c).stores = v.flag;
               }},
    option{.path = "processors.sms.account",
           .type = option_type::text,
           .min = 1,
           .max = 64,
           .required = true,
           .sample = "AC0123456789abcdef0123456789abcdef",
           .doc = "The account at the provider. The section `sms` registers the kind `sms.send`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).account = v.text;
               }},
    option{.path = "processors.sms.token_file",
           .type = option_type::secret_file,
           .required = true,
           .sample = "sms-token",
           .doc = "File or systemd credential that holds the account's token, or the secret of "
                  "`user`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).token_file = v.text;
               }},
    option{.path = "processors.sms.user",
           .type = option_type::text,
           .min = 1,
           .max = 64,
           .sample = "SK0123456789abcdef0123456789abcdef",
           .doc = "An API key to log in with instead of the account.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).user = v.text;
               }},
    option{.path = "processors.sms.url",
           .type = option_type::text,
           .standard = "https://api.twilio.com",
           .min = 8,
           .max = 253,
           .doc = "Scheme and host of the provider's API, which is Twilio's.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).url = v.text;
               }},
    option{.path = "processors.sms.from",
           .type = option_type::text,
           .min = 1,
           .max = 34,
           .sample = "+436600000000",
           .doc =
               "Sender of messages whose job names none: a number, a short code, a name of up to "
               "11 letters and digits, or a messaging service (MG...).",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).from = v.text;
               }},
    option{.path = "processors.sms.on_unknown",
           .type = option_type::choice,
           .standard = "park",
           .choices = "park|look_up",
           .doc =
               "When nobody said whether a message was sent: `park` makes it a dead letter, where "
               "a person decides; `look_up` asks the provider for the messages it sent, and for "
               "that adds a mark of 10 characters to every text.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).on_unknown = v.text;
               }},
    option{
        .path = "processors.sms.settle",
        .type = option_type::duration,
        .standard = "30s",
        .min = 0,
        .max = 3'600'000,
        .doc = "With `look_up`: how long after a first look without a find a second is believed.",
        .bind =
            [](config& c, const std::string&, const option_value& v) {
                sms_of(c).settle = std::chrono::milliseconds{v.number};
            }},
    option{.path = "processors.sms.timeout",
           .type = option_type::duration,
           .standard = "15s",
           .min = 100,
           .max = 600'000,
           .doc = "For one request, connecting included.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.sms.per_minute",
           .type = option_type::integer,
           .standard = "100",
           .min = 0,
           .max = 1'000'000,
           .doc = "As `processors.email.per_minute`, as the limit `sms`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).per_minute = static_cast<int>(v.number);
               }},
    option{.path = "processors.sms.hourly_per_recipient",
           .type = option_type::integer,
           .standard = "5",
           .min = 0,
           .max = 1'000'000,
           .doc =
               "How many messages one number gets within an hour at most; the rest waits. 0: any "
               "number.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).hourly_per_recipient = static_cast<int>(v.number);
               }},
    option{.path = "processors.sms.most_segments",
           .type = option_type::integer,
           .standard = "6",
           .min = 1,
           .max = 10,
           .doc = "A text that would be sent in more pieces is refused, as each one costs.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).most_segments = static_cast<int>(v.number);
               }},
    option{.path = "processors.sms.stores",
           .type = option_type::boolean,
           .standard = "true",
           .doc = "Use the schema `contacts`: preferences, limits per number, suppressions.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).stores = v.flag;
               }},
    option{.path = "processors.sms.ca_file",
           .type = option_type::file,
           .sample = "/etc/ssl/certs/internal-ca.pem",
           .doc = "Certificates to trust instead of the system's.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).ca_file = v.text;
               }},
    option{.path = "processors.sms.allow_private",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Let the API be at a loopback, private or link-local address; for tests.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).allow_private = v.flag;
               }},
    option{.path = "processors.sms.allow_http",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Let the API be at `http://`; for tests.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   sms_of(c).allow_http = v.flag;
               }},
};

}  // namespace

std::span<const option> mail_option_rows() {
    return rows;
}

}  // namespace workerd
