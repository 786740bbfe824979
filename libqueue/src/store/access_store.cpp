#include "store/access_store.hpp"

#include "pg/schema_name.hpp"
#include "store/arguments.hpp"
#include "store/sql_text.hpp"

#include <sql/create_tenant.hpp>
#include <sql/create_token.hpp>
#include <sql/find_token.hpp>
#include <sql/install_roles.hpp>
#include <sql/list_audit.hpp>
#include <sql/list_roles.hpp>
#include <sql/list_tenants.hpp>
#include <sql/list_tokens.hpp>
#include <sql/prune_audit.hpp>
#include <sql/revoke_token.hpp>
#include <sql/verify_audit.hpp>

#include <algorithm>

namespace libqueue::store {
namespace {

pg::result run(const session& with, std::string_view sql, const pg::params& parameters = {}) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

void add_uuid(pg::params& to, const char* what, std::string_view value) {
    if (!is_uuid(value)) {
        refuse(std::string{what} + ": expected a UUID, got something else");
    }
    to.text(value);
}

}  // namespace

std::string create_tenant(const session& with, std::string_view name) {
    pg::params to;
    add_text(to, "tenant name", name);
    return std::string{run(with, sql::create_tenant, to).text(0, 0)};
}

pg::result list_tenants(const session& with) {
    return run(with, sql::list_tenants);
}

pg::result create_token(const session& with, const std::string& hash,
                        const token_options& options) {
    pg::params to;
    to.text(hash).text(to_string(options.role));
    add_tenant(to, options.tenant_id);
    add_text(to, "token name", std::string_view{options.name});
    options.ttl ? to.number(std::min<std::int64_t>(options.ttl->count(), 1'000'000'000))
                : to.null();
    return run(with, sql::create_token, to);
}

pg::result find_token(const session& with, const std::string& hash) {
    pg::params to;
    to.text(hash);
    return run(with, sql::find_token, to);
}

pg::result list_tokens(const session& with, int limit, const std::optional<std::string>& below) {
    pg::params to;
    if (below) {
        add_uuid(to, "token id", *below);
    } else {
        to.null();
    }
    add_limit(to, limit);
    return run(with, sql::list_tokens, to);
}

void revoke_token(const session& with, std::string_view id) {
    pg::params to;
    add_uuid(to, "token id", id);
    run(with, sql::revoke_token, to);
}

pg::result list_audit(const session& with, const audit_filter& filter) {
    pg::params to;
    add_text(to, "actor", filter.actor);
    add_text(to, "action", filter.action);
    add_text(to, "target", filter.target);
    add_tenant(to, filter.tenant_id);
    to.text(time_text(filter.since)).text(time_text(filter.until));
    add_number(to, filter.before);
    add_limit(to, filter.limit);
    return run(with, sql::list_audit, to);
}

pg::result verify_audit(const session& with, const std::optional<std::int64_t>& anchor_id,
                        std::string_view anchor_hash) {
    pg::params to;
    add_number(to, anchor_id);
    add_text(to, "anchor hash", anchor_hash);
    return run(with, sql::verify_audit, to);
}

std::int64_t prune_audit(const session& with, std::chrono::seconds age) {
    pg::params to;
    to.number(std::clamp<std::int64_t>(age.count(), 0, 10'000'000'000));
    return run(with, sql::prune_audit, to).int64(0, 0);
}

std::string install_roles(const session& with) {
    return std::string{run(with, sql::install_roles).text(0, 0)};
}

pg::result list_roles(const session& with) {
    return run(with, sql::list_roles);
}

}  // namespace libqueue::store
