#include "auth/service_setup.hpp"

#include "auth/service_calls.hpp"
#include "field_checks.hpp"

#include <stdexcept>

namespace workerd::api {

namespace {

config_fault fault_of(const config& value, const std::string& name, const std::string& option,
                      std::string expected, std::string got, std::string hint) {
    config_fault found;
    found.path = "http.auth.services." + name + option;
    found.where = value.settings.at(found.path).where;
    found.expected = std::move(expected);
    found.got = std::move(got);
    found.hint = std::move(hint);
    return found;
}

}  // namespace

std::shared_ptr<service_calls> make_service_calls(const config& value,
                                                  std::vector<config_fault>& faults) {
    std::vector<known_service> services;
    for (const auto& [name, each] : value.http.auth.services) {
        std::vector<std::string> keys{each.key};
        if (!each.previous_key.empty())
            keys.push_back(each.previous_key);
        std::optional<std::string> tenant;
        if (!each.tenant_id.empty()) {
            tenant = each.tenant_id;
            if (!is_uuid(each.tenant_id))
                faults.push_back(fault_of(value, name, ".tenant_id", "the UUID of a tenant",
                                          each.tenant_id, "qctl tenants list shows them"));
        }
        services.emplace_back(name, std::move(keys), libqueue::parse_role(each.role).value(),
                              std::move(tenant));
    }
    if (services.empty())
        return nullptr;
    for (const auto& each : services) {
        try {
            static_cast<void>(service_calls{{each}});
        } catch (const std::invalid_argument& why) {
            faults.push_back(
                fault_of(value, each.name, ".key_file",
                         "a key of 32 bytes or more for a service named in a-z 0-9 _ . -",
                         why.what(), "openssl rand -hex 32 makes a key"));
        }
    }
    return faults.empty() ? std::make_shared<service_calls>(services) : nullptr;
}

}  // namespace workerd::api
