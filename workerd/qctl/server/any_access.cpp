#include "server/any_access.hpp"

#include "context.hpp"
#include "instant.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"
#include "sha256.hpp"

#include <sql/api_revoke_jwt.hpp>

namespace qctl {

namespace {

using libqueue::access_control;
using libqueue::report;
using libqueue::result;

}  // namespace

result<std::string> any_access::create_tenant(std::string_view name) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return access_control{with_.client()}.create_tenant(name);
    }
    api_request request{"POST", "/tenants"};
    request.body = json_body{}.text("name", std::string{name}).done();
    const auto row = server->object(request);
    return row ? result<std::string>{field_of(*row, "id").value_or("")} : row.error();
}

report any_access::list_tenants() {
    auto* const server = with_.server();
    return server == nullptr ? access_control{with_.client()}.list_tenants()
                             : server->items({"GET", "/tenants"}).value();
}

result<libqueue::new_token> any_access::create_token(const libqueue::token_options& options) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return access_control{with_.client()}.create_token(options);
    }
    json_body body;
    body.text("role", std::string{libqueue::to_string(options.role)})
        .text("name", options.name)
        .text("tenant_id", options.tenant_id);
    if (options.ttl) {
        body.text("ttl", std::to_string(options.ttl->count()) + "s");
    }
    api_request request{"POST", "/tokens"};
    request.only_once = true;
    request.body = body.done();
    const auto row = server->object(request);
    if (!row) {
        return row.error();
    }
    libqueue::new_token made;
    made.id = field_of(*row, "id").value_or("");
    made.text = field_of(*row, "token").value_or("");
    made.expires_at = read_instant(field_of(*row, "expires_at").value_or(""));
    return made;
}

result<libqueue::token_holder> any_access::find_token(std::string_view presented) {
    if (with_.server() != nullptr) {
        throw needs_database(with_.call, "without TOKEN it tells about your own");
    }
    return access_control{with_.client()}.find_token(presented);
}

report any_access::list_tokens(int limit, const std::optional<std::string>& next_before) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return access_control{with_.client()}.list_tokens(limit, next_before);
    }
    api_request request{"GET", "/tokens"};
    add(request, "before", next_before);
    return server->list(request, limit).value();
}

result<void> any_access::revoke_token(std::string_view id) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return access_control{with_.client()}.revoke_token(id);
    }
    return done(server->ask({"DELETE", "/tokens/" + path_part(id)}));
}

result<void> any_access::revoke_jwt(const std::string& issuer, const std::string& jti,
                                    libqueue::time_point expires) {
    if (auto* const server = with_.server()) {
        return done(server->ask(posting("/tokens/revocations", json_body{}
                                                                   .text("issuer", issuer)
                                                                   .text("jti", jti)
                                                                   .time("expires_at", expires)
                                                                   .done())));
    }
    const auto hash = workerd::api::sha256_hex(issuer + '\n' + jti);
    const libqueue::statement asked{std::string{libqueue::sql::api_revoke_jwt},
                                    {hash, iso_instant(expires)}};
    const auto told = libqueue::operations{with_.client()}.query_audited("tokens.revoke_jwt",
                                                                         "jwt:" + hash, {}, asked);
    return told ? result<void>{} : told.error();
}

report any_access::list_audit(const libqueue::audit_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return access_control{with_.client()}.list_audit(filter);
    }
    api_request request{"GET", "/audit"};
    add(request, "actor", filter.actor);
    add(request, "action", filter.action);
    add(request, "target", filter.target);
    add(request, "tenant_id", filter.tenant_id);
    add(request, "since", filter.since);
    add(request, "until", filter.until);
    add(request, "before", filter.before);
    return server->list(request, filter.limit).value();
}

result<report> any_access::verify_audit(std::optional<std::int64_t> anchor_id,
                                        std::string_view anchor_hash) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return access_control{with_.client()}.verify_audit(anchor_id, anchor_hash);
    }
    api_request request{"GET", "/audit/verify"};
    if (anchor_id) {
        request.query.emplace_back("anchor_id", std::to_string(*anchor_id));
        request.query.emplace_back("anchor_hash", anchor_hash);
    }
    auto row = server->object(request);
    if (row) {
        // As PostgreSQL writes it, which is what the verb reads.
        for (auto& cell : row->rows.at(0)) {
            cell = cell == "true" ? "t" : cell == "false" ? "f" : cell;
        }
    }
    return row;
}

result<std::int64_t> any_access::prune_audit(std::chrono::seconds age) {
    return access_control{with_.client()}.prune_audit(age);
}

result<void> any_access::install_roles() {
    return access_control{with_.client()}.install_roles();
}

report any_access::list_roles() {
    return access_control{with_.client()}.list_roles();
}

}  // namespace qctl
