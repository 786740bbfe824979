#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{
        .path = "log.level",
        .type = option_type::choice,
        .standard = "info",
        .choices = "trace|debug|info|warn|error",
        .reloadable = true,
        .doc = "What is logged at least. SIGUSR1 switches a running process to `debug` and back.",
        .bind =
            [](config& c, const std::string&, const option_value& v) {
                c.log.level = v.text;
            }},
    option{.path = "log.format",
           .type = option_type::choice,
           .standard = "auto",
           .choices = "auto|json|text",
           .doc = "`json` is one object per line; `text` is for people; `auto` is text on a "
                  "terminal and JSON otherwise.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.log.format = v.text;
               }},
    option{.path = "log.jobs",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Log the start and the successful end of every job, too. Failures are always "
                  "logged. Costs throughput.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.log.jobs = v.flag;
               }},
    option{.path = "log.redact",
           .type = option_type::text_list,
           .min = 1,
           .max = 64,
           .reloadable = true,
           .sample = "[iban, passport]",
           .doc = "Keys whose values are masked in logs, beside the built-in ones (password, "
                  "authorization, token, apiKey, secret, email, phone, ssn, dateOfBirth, "
                  "creditCard, cardNumber, cvv, accountNumber, amounts).",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.log.redact = v.list;
               }},
    option{.path = "dev.directory",
           .type = option_type::directory,
           .sample = "/var/lib/workerd/dev",
           .doc = "Where `--dev` keeps its private PostgreSQL, mails and webhooks. Unset: "
                  "`$XDG_DATA_HOME/workerd/dev`, else `~/.local/share/workerd/dev`; as root "
                  "`/var/lib/workerd/dev`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.dev.directory = v.text;
               }},
};

}  // namespace

std::span<const option> surface_option_rows() {
    return rows;
}

}  // namespace workerd
