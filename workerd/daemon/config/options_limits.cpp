#include "config/option_sections.hpp"

#include <libqueue/limit_options.hpp>

#include <array>

namespace workerd {

namespace {

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
           .doc = "Figures that count for each key by itself: `tenant`, or `meta.<field>` of the "
                  "job. Default: for all jobs together.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.limits[name].key = v.text;
               }},
};

}  // namespace

std::span<const option> limit_option_rows() {
    return limit_rows;
}

}  // namespace workerd
