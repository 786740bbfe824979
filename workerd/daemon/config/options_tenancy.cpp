#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{.path = "tenancy.enabled",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Refuse to start, and to go on after a failover, where the database would not "
                  "keep tenants apart: connected as a superuser, as a role with BYPASSRLS or as "
                  "the owner of the tables, without membership in the roles `engine` and "
                  "`operator`, or without roles installed. See docs/tenancy.md.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.tenancy.enabled = v.flag;
               }},
};

}  // namespace

std::span<const option> tenancy_option_rows() {
    return rows;
}

}  // namespace workerd
