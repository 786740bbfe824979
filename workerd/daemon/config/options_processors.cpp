#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{.path = "processors.debug",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "The `debug.*` kinds: echo, sleep, fail and the like, for trying things out.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.processors.debug = v.flag;
               }},
};

}  // namespace

std::span<const option> processor_option_rows() {
    return rows;
}

}  // namespace workerd
