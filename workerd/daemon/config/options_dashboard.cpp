#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{.path = "dashboard.enabled",
           .type = option_type::boolean,
           .standard = "true",
           .doc = "Serve the dashboard at `/` of `http.listen`. It shows nothing without a token.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.dashboard.enabled = v.flag;
               }},
    option{.path = "dashboard.base_path",
           .type = option_type::text,
           .standard = "/",
           .min = 1,
           .max = 200,
           .doc = "Where a proxy mounts this server, such as `/queue/`. The proxy takes it off "
                  "before it forwards a request.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.dashboard.base_path = v.text;
               }},
};

}  // namespace

std::span<const option> dashboard_option_rows() {
    return rows;
}

}  // namespace workerd
