#include "config/option_sections.hpp"

#include <libqueue/limit_options.hpp>

#include <array>

namespace workerd {

namespace {

libqueue::breaker_options& breaker_of(config& c, const std::string& name) {
    auto& breaker = c.limits[name].breaker;
    return breaker.has_value() ? *breaker : breaker.emplace();
}

constexpr std::array limit_rows{
    option{.path = "limits.*.burst",
           .type = option_type::integer,
           .min = 1,
           .max = 1'000'000,
           .sample = "25",
           .doc = "Jobs that may start at once when none has started for a while. Default: what "
                  "comes in one second.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.limits[name].burst = static_cast<int>(v.number);
               }},
    option{.path = "limits.*.rate",
           .type = option_type::rate,
           .sample = "1000/min",
           .doc = "Jobs that start per unit of time (`/s`, `/min`, `/h`, `/d`), however many "
                  "processes there are. Default: not limited.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.limits[name].rate = libqueue::parse_rate(v.text).value();
               }},
    option{.path = "limits.*.concurrency",
           .type = option_type::integer,
           .min = 1,
           .max = 1'000'000,
           .sample = "10",
           .doc = "Jobs running at once in all processes together. Default: not limited.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.limits[name].concurrency = static_cast<int>(v.number);
               }},
    option{.path = "limits.*.key",
           .type = option_type::text,
           .min = 6,
           .max = 69,
           .sample = "meta.user",
           .doc = "Figures that count for each key by itself: `tenant`, `limit_key` (given at "
                  "enqueue), or `meta.<field>` of the job. Default: for all jobs together.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.limits[name].key = v.text;
               }},
    option{.path = "limits.*.parent",
           .type = option_type::name,
           .min = 1,
           .max = 64,
           .sample = "internal",
           .doc = "The limit above: jobs under this one are under that one too. At most 4 levels.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.limits[name].parent = v.text;
               }},
    option{.path = "limits.*.breaker.percent",
           .type = option_type::integer,
           .min = 1,
           .max = 100,
           .sample = "50",
           .doc =
               "Requests of a window that must fail for the circuit to open: then nothing starts "
               "until a probe succeeds. Default: 50 when another figure of the breaker is given, "
               "else there is no breaker.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   breaker_of(c, name).ratio = static_cast<double>(v.number) / 100;
               }},
    option{.path = "limits.*.breaker.min_requests",
           .type = option_type::integer,
           .min = 1,
           .max = 1'000'000,
           .sample = "5",
           .doc = "Fewer requests in a window than these open nothing. Default: 5.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   breaker_of(c, name).min_requests = static_cast<int>(v.number);
               }},
    option{.path = "limits.*.breaker.window",
           .type = option_type::duration,
           .min = 1'000,
           .max = 86'400'000,
           .sample = "60s",
           .doc = "How long a request counts. Default: 60 s.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   breaker_of(c, name).window = std::chrono::milliseconds{v.number};
               }},
    option{.path = "limits.*.breaker.cooldown",
           .type = option_type::duration,
           .min = 100,
           .max = 86'400'000,
           .sample = "30s",
           .doc = "From the opening of the circuit to its probe. Default: 30 s.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   breaker_of(c, name).cooldown = std::chrono::milliseconds{v.number};
               }},
};

}  // namespace

std::span<const option> limit_option_rows() {
    return limit_rows;
}

}  // namespace workerd
