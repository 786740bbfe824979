#include "auth/jwt_setup.hpp"

#include "auth/jwt.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace workerd::api {

namespace {

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

}  // namespace

std::shared_ptr<const jwt_verifier> make_jwt_verifier(const config& value,
                                                      std::vector<config_fault>& faults) {
    const auto& from = value.http.auth.jwt;
    if (from.keys.empty())
        return nullptr;
    jwt_rules rules;
    rules.issuer = from.issuer;
    rules.audience = from.audience;
    rules.leeway = std::chrono::duration_cast<std::chrono::seconds>(from.leeway);
    rules.most_life = std::chrono::duration_cast<std::chrono::seconds>(from.most_life);
    rules.role_claim = from.role_claim;
    rules.tenant_claim = from.tenant_claim;
    rules.tenant_required = from.tenant_required;
    rules.admin_roles = from.admin_roles;
    rules.operator_roles = from.operator_roles;
    rules.viewer_roles = from.viewer_roles;
    for (const auto& [name, key] : from.keys)
        rules.keys.emplace_back(name, key.algorithm,
                                key.secret.empty() ? content_of(key.public_key_file) : key.secret);
    try {
        return std::make_shared<const jwt_verifier>(std::move(rules));
    } catch (const std::runtime_error& why) {
        config_fault found;
        found.where = value.settings.at("http.auth.jwt.issuer").where;
        found.path = "http.auth.jwt.keys";
        found.expected = "keys that can be used";
        found.got = why.what();
        found.hint = "docs/auth.md says how to make them";
        faults.push_back(std::move(found));
        return nullptr;
    }
}

}  // namespace workerd::api
