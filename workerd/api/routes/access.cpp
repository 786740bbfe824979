#include "api_call.hpp"
#include "qctl/instant.hpp"
#include "routes/routes.hpp"
#include "sha256.hpp"

#include <libqueue/access.hpp>
#include <libqueue/duration.hpp>
#include <libqueue/statement.hpp>
#include <sql/api_revoke_jwt.hpp>

#include <array>

namespace workerd::api {

namespace {

using libqueue::access_control;

answer list_tokens(api_call& call) {
    const auto behind = call.cursor();
    return reply_page(access_control{call.database()}.list_tokens(
                          call.limit(), behind ? behind : call.text("before")),
                      call.limit());
}

// The one answer that holds a token; nothing keeps it, so neither may a cache.
answer create_token(api_call& call) {
    libqueue::token_options wanted;
    const auto role = libqueue::parse_role(call.member_text("role").value_or("viewer"));
    wanted.role = role.value();
    if (wanted.role > call.who().role)
        refuse(403, "forbidden", "a token may not do more than the one that makes it");
    wanted.tenant_id = call.tenant();
    wanted.name = call.member_text("name").value_or("");
    if (const auto ttl = call.member_text("ttl")) {
        const auto parsed = libqueue::parse_duration(*ttl);
        if (!parsed)
            refuse_value("body.ttl", "a duration such as 1h", "another text");
        wanted.ttl = std::chrono::duration_cast<std::chrono::seconds>(*parsed);
    }
    const auto made = access_control{call.database()}.create_token(wanted).value();
    boost::json::object body;
    body["id"] = made.id;
    body["token"] = made.text;
    body["role"] = std::string{libqueue::to_string(wanted.role)};
    body["tenant_id"] = wanted.tenant_id ? boost::json::value(*wanted.tenant_id) : nullptr;
    body["expires_at"] =
        made.expires_at ? boost::json::value(qctl::iso_instant(*made.expires_at)) : nullptr;
    return reply_json(body, 201);
}

answer revoke_token(api_call& call) {
    access_control{call.database()}.revoke_token(call.name("token_id")).value();
    return reply_nothing();
}

// Of a JWT that has not ended; API tokens are deleted instead.
answer revoke_jwt(api_call& call) {
    const auto hash = sha256_hex(call.member_text("issuer").value_or("") + '\n' +
                                 call.member_text("jti").value_or(""));
    const auto ends = qctl::iso_instant(call.member_time("expires_at").value());
    const libqueue::statement asked{std::string{libqueue::sql::api_revoke_jwt}, {hash, ends}};
    static_cast<void>(
        call.database().query_audited("tokens.revoke_jwt", "jwt:" + hash, {}, asked).value());
    return reply_nothing();
}

answer list_tenants(api_call& call) {
    return reply_list(access_control{call.database()}.list_tenants());
}

answer create_tenant(api_call& call) {
    boost::json::object body;
    const auto name = call.member_text("name").value_or("");
    body["id"] = access_control{call.database()}.create_tenant(name).value();
    body["name"] = name;
    return reply_json(body, 201);
}

answer list_audit(api_call& call) {
    libqueue::audit_filter filter;
    filter.actor = call.text("actor");
    filter.action = call.text("action");
    filter.target = call.text("target");
    filter.tenant_id = call.tenant();
    filter.since = call.time("since");
    filter.until = call.time("until");
    filter.before = call.cursor_id();
    filter.limit = call.limit();
    return reply_page(access_control{call.database()}.list_audit(filter), filter.limit);
}

answer verify_audit(api_call& call) {
    return reply_object(
        access_control{call.database()}
            .verify_audit(call.integer("anchor_id"), call.text("anchor_hash").value_or(""))
            .value());
}

constexpr std::array token_list{
    field{"before", value_type::uuid, "Made before the token of this id."},
};
constexpr std::array token_body{
    field{"role", value_type::text, "viewer unless given.", false, 0, 0, "viewer|operator|admin"},
    field{"name", value_type::text, "For people and the audit.", false, 0, 64},
    field{"ttl", value_type::text, "Ends after so long: 1h, 30d. Never unless given.", false, 1,
          32},
    tenant_parameter,
};
constexpr std::array token_path{
    field{"token_id", value_type::uuid, "Of the list.", true},
};
constexpr std::array revocation_body{
    field{"issuer", value_type::text, "`iss` of the token.", true, 1, 512},
    field{"jti", value_type::text, "`jti` of the token.", true, 1, 128},
    field{"expires_at", value_type::time, "`exp` of the token; it is remembered until then.", true},
};
constexpr std::array tenant_body{
    field{"name", value_type::text, "1 to 64 of A-Z a-z 0-9 _ . -", true, 1, 64},
};
constexpr std::array audit_parameters{
    field{"actor", value_type::text, "Exact.", false, 1, 200},
    field{"action", value_type::text, "Exact, or a prefix that ends in `*`.", false, 1, 100},
    field{"target", value_type::text, "Exact.", false, 1, 512},
    field{"since", value_type::time, "At or after."},
    field{"until", value_type::time, "Before."},
    before_parameter,
    tenant_parameter,
};
constexpr std::array verify_parameters{
    field{"anchor_id", value_type::integer, "head_id of an earlier verification.", false, 1,
          9'000'000'000'000'000'000},
    field{"anchor_hash", value_type::text, "Its head_hash.", false, 1, 128},
};

constexpr std::array rows{
    route{.path = "/tokens",
          .right = "tokens.read",
          .summary = "API tokens, newest first; never the tokens themselves.",
          .parameters = token_list,
          .answers = shape::list,
          .pages = true,
          .run = list_tokens},
    route{.method = verb::post,
          .path = "/tokens",
          .right = "tokens.change",
          .summary = "Make a token; the answer is the only place it ever stands in.",
          .body = token_body,
          .status = 201,
          .secret = true,
          .run = create_token},
    route{.method = verb::remove,
          .path = "/tokens/{token_id}",
          .right = "tokens.change",
          .summary = "Revoke a token; within five seconds no process takes it any more.",
          .parameters = token_path,
          .answers = shape::nothing,
          .status = 204,
          .run = revoke_token},
    route{.method = verb::post,
          .path = "/tokens/revocations",
          .right = "tokens.revoke_jwt",
          .summary = "Accept a JWT no more; within five seconds no process takes it.",
          .body = revocation_body,
          .answers = shape::nothing,
          .status = 204,
          .run = revoke_jwt},
    route{.path = "/tenants",
          .right = "tenants.read",
          .summary = "All tenants.",
          .answers = shape::list,
          .run = list_tenants},
    route{.method = verb::post,
          .path = "/tenants",
          .right = "tenants.change",
          .summary = "Make a tenant.",
          .body = tenant_body,
          .status = 201,
          .run = create_tenant},
    route{.path = "/audit",
          .right = "audit.read",
          .summary = "What people did, newest first.",
          .parameters = audit_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_audit},
    route{.path = "/audit/verify",
          .right = "audit.verify",
          .summary = "Recompute the chain of the audit record.",
          .parameters = verify_parameters,
          .run = verify_audit},
};

}  // namespace

std::span<const route> access_routes() {
    return rows;
}

}  // namespace workerd::api
