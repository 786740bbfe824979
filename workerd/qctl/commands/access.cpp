#include "commands/commands.hpp"
#include "confirm.hpp"
#include "payload.hpp"
#include "printable.hpp"
#include "row_builder.hpp"
#include "server/api_client.hpp"
#include "unwrapped.hpp"
#include "values.hpp"

#include <libqueue/access.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <tuple>
#include <utility>

namespace qctl {

namespace {

any_access access_of(context& with) {
    return with.access();
}

int limit_of(const invocation& call, int otherwise) {
    const auto limit = call.text("limit");
    return limit ? static_cast<int>(read_integer(*limit, "--limit", 1, 10'000)) : otherwise;
}

void only_planned(context& with, const std::string& what) {
    row_builder row;
    row.text("result", what);
    with.print_result(what, row.done());
}

libqueue::token_options token_from_flags(const invocation& call) {
    libqueue::token_options wanted;
    if (const auto name = call.text("role")) {
        const auto known = libqueue::parse_role(*name);
        if (!known) {
            throw usage("--role: expected viewer, operator or admin, got " + in_quotes(*name));
        }
        wanted.role = *known;
    }
    wanted.tenant_id = call.text("tenant");
    wanted.name = call.text("name").value_or("");
    if (const auto ttl = call.text("ttl")) {
        wanted.ttl = std::chrono::floor<std::chrono::seconds>(read_duration(*ttl, "--ttl"));
    }
    return wanted;
}

/// Of `ID:HASH`.
std::pair<std::int64_t, std::string> read_anchor(const std::string& text) {
    constexpr std::size_t hash_digits{64};
    const auto colon = text.find(':');
    std::int64_t id = 0;
    const char* const end = text.data() + std::min(colon, text.size());
    const auto [stopped, fault] = std::from_chars(text.data(), end, id);
    if (colon == std::string::npos || fault != std::errc{} || stopped != end ||
        text.size() - colon - 1 != hash_digits ||
        text.find_first_not_of("0123456789abcdef", colon + 1) != std::string::npos) {
        throw usage("--anchor: expected ID:HASH as `qctl audit verify` printed it, got " +
                    in_quotes(text));
    }
    return {id, text.substr(colon + 1)};
}

}  // namespace

exit_code run_tokens_create(context& with) {
    const auto wanted = token_from_flags(with.call);
    if (with.options.dry_run) {
        only_planned(with, "a token would be made");
        return exit_code::ok;
    }
    const auto made = unwrapped(access_of(with).create_token(wanted));
    row_builder row;
    row.text("token", made.text)
        .text("id", made.id)
        .text("role", std::string{libqueue::to_string(wanted.role)})
        .text("tenant_id", wanted.tenant_id)
        .text("name", wanted.name)
        .time("expires_at", made.expires_at);
    with.print_result(made.text, row.done());
    return exit_code::ok;
}

exit_code run_tokens_list(context& with) {
    const int limit = limit_of(with.call, 1'000);
    const auto rows = access_of(with).list_tokens(limit, with.call.text("after"));
    with.print_list(rows);
    flush_output();
    if (rows.rows.size() == static_cast<std::size_t>(limit)) {
        with.notes.note("there may be more: --after " + rows.rows.back().front().value());
    } else if (rows.rows.empty()) {
        with.notes.note("no tokens");
    }
    return exit_code::ok;
}

exit_code run_tokens_revoke(context& with) {
    const std::string& id = with.call.arguments[0];
    if (with.options.dry_run) {
        only_planned(with, "token " + printable(id) + ": would be revoked");
        return exit_code::ok;
    }
    demand_done(access_of(with).revoke_token(id));
    row_builder row;
    row.text("id", id).text("result", "revoked");
    with.print_result("token " + printable(id) + ": revoked", row.done());
    return exit_code::ok;
}

exit_code run_tokens_revoke_jwt(context& with) {
    const auto wanted = [&](const std::string& flag) {
        const auto text = with.call.text(flag);
        if (!text) {
            throw usage("tokens revoke-jwt: expected --" + flag + ", got nothing");
        }
        return *text;
    };
    const auto issuer = wanted("issuer");
    const auto jti = wanted("jti");
    const auto expires = read_time(wanted("expires"), "--expires");
    if (with.options.dry_run) {
        only_planned(with, "JWT " + printable(jti) + ": would be revoked");
        return exit_code::ok;
    }
    demand_done(access_of(with).revoke_jwt(issuer, jti, expires));
    row_builder row;
    row.text("issuer", issuer).text("jti", jti).text("result", "revoked");
    with.print_result("JWT " + printable(jti) + ": revoked", row.done());
    return exit_code::ok;
}

exit_code run_tokens_whoami(context& with) {
    if (with.call.arguments.empty()) {
        auto* const server = with.server();
        if (server == nullptr) {
            throw usage("tokens whoami: expected TOKEN, got nothing",
                        "over a server it tells about your own");
        }
        with.print_object(unwrapped(server->object({"GET", "/whoami"})));
        return exit_code::ok;
    }
    std::string token = read_payload(with.call.arguments[0], "TOKEN");
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) {
        token.pop_back();
    }
    const auto holder = unwrapped(access_of(with).find_token(token));
    row_builder row;
    row.text("actor", holder.who.actor)
        .text("role", std::string{libqueue::to_string(holder.who.role)})
        .text("tenant_id", holder.who.tenant_id)
        .text("token_id", holder.token_id)
        .time("expires_at", holder.expires_at);
    with.print_object(row.done());
    return exit_code::ok;
}

exit_code run_tenants_create(context& with) {
    const std::string& name = with.call.arguments[0];
    if (with.options.dry_run) {
        only_planned(with, "tenant " + printable(name) + ": would be made");
        return exit_code::ok;
    }
    const std::string id = unwrapped(access_of(with).create_tenant(name));
    row_builder row;
    row.text("id", id).text("name", name);
    with.print_result(id, row.done());
    return exit_code::ok;
}

exit_code run_tenants_list(context& with) {
    with.print_list(access_of(with).list_tenants());
    return exit_code::ok;
}

exit_code run_audit_list(context& with) {
    const auto& call = with.call;
    const auto now = system_now();
    libqueue::audit_filter filter;
    filter.actor = call.text("actor");
    filter.action = call.text("action");
    filter.target = call.text("target");
    filter.tenant_id = call.text("tenant");
    if (const auto since = call.text("since")) {
        filter.since = read_past(*since, "--since", now);
    }
    if (const auto until = call.text("until")) {
        filter.until = read_past(*until, "--until", now);
    }
    if (const auto after = call.text("after")) {
        filter.before = read_id(*after, "--after");
    }
    filter.limit = limit_of(call, 50);
    const auto rows = access_of(with).list_audit(filter);
    with.print_list(rows);
    flush_output();
    if (rows.next) {
        with.notes.note("there may be more: --after " + std::to_string(*rows.next));
    } else if (rows.rows.empty()) {
        with.notes.note("no records match");
    }
    return exit_code::ok;
}

exit_code run_audit_verify(context& with) {
    const auto anchor = with.call.text("anchor");
    std::optional<std::int64_t> anchor_id;
    std::string anchor_hash;
    if (anchor) {
        std::tie(anchor_id, anchor_hash) = read_anchor(*anchor);
    }
    const auto found = unwrapped(access_of(with).verify_audit(anchor_id, anchor_hash));
    const auto& row = found.rows.at(0);
    const bool sound = row.at(0) == "t";
    with.print_result(row.at(4).value() + ":" + row.at(5).value(), found);
    flush_output();
    if (!sound) {
        const std::string at = row.at(3) ? "record " + *row.at(3) + ": " : std::string{};
        with.notes.warn("the audit does not hold: " + at + row.at(2).value_or(""));
        return exit_code::findings;
    }
    with.notes.note(row.at(1).value() + " records hold; keep this head elsewhere");
    return exit_code::ok;
}

exit_code run_audit_prune(context& with) {
    demand_consent(with.options, danger::moderate, {});
    const auto age = with.call.text("older-than");
    if (!age) {
        throw usage("audit prune: expected --older-than TIME, got nothing");
    }
    const auto least =
        std::chrono::floor<std::chrono::seconds>(read_duration(*age, "--older-than"));
    if (with.options.dry_run) {
        only_planned(with, "records older than " + *age + " would be removed");
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, {},
                "remove the audit's records older than " + *age);
    std::int64_t gone = 0;
    // In transactions of a bounded size, each with a record of its own.
    for (std::int64_t part = 1; part > 0; gone += part) {
        part = unwrapped(access_of(with).prune_audit(least));
    }
    row_builder row;
    row.integer("removed", gone);
    with.print_result("removed " + std::to_string(gone) + " records", row.done());
    return exit_code::ok;
}

exit_code run_roles_list(context& with) {
    with.print_list(access_of(with).list_roles());
    return exit_code::ok;
}

exit_code run_roles_install(context& with) {
    if (with.options.dry_run) {
        only_planned(with, "roles would be made as far as they are missing");
        return exit_code::ok;
    }
    demand_done(access_of(with).install_roles());
    row_builder row;
    row.text("result", "installed");
    with.print_result("roles are installed, row-level security is in force", row.done());
    return exit_code::ok;
}

}  // namespace qctl
