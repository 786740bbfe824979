#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{.path = "encryption.keys",
           .type = option_type::directory,
           .sample = "/etc/workerd/keys",
           .doc = "Directory of keys for kinds with `encrypted: true`, as `qctl keys create` makes "
                  "it. Files that anybody else may touch are refused. SIGHUP reads the keys again "
                  "(the directory itself needs a restart).",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.encryption.keys = v.text;
               }},
    option{.path = "encryption.per_tenant",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Outputs of a tenant's jobs are sealed with the tenant's own key, "
                  "`tenant-<uuid>.key`. A tenant without key is an error.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.encryption.per_tenant = v.flag;
               }},
};

}  // namespace

std::span<const option> encryption_option_rows() {
    return rows;
}

}  // namespace workerd
