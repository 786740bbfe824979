#include "server/any_processors.hpp"

#include "context.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"

#include <sql/api_list_deliveries.hpp>
#include <sql/api_list_endpoints.hpp>
#include <sql/api_list_templates.hpp>
#include <sql/qctl_disable_endpoint.hpp>
#include <sql/qctl_enable_endpoint.hpp>
#include <sql/qctl_resend_event.hpp>

#include <algorithm>

namespace qctl {

namespace {

using libqueue::report;
using libqueue::result;
using libqueue::statement;

constexpr int page_size = 500;

std::optional<std::string> digits(std::optional<std::int64_t> value) {
    return value ? std::optional{std::to_string(*value)} : std::nullopt;
}

// A missing schema, table or function; the queue's own were there a moment ago.
result<report> if_installed(const char* what, result<report> found) {
    if (!found && found.error().code == libqueue::errc::schema_mismatch) {
        return libqueue::error{
            libqueue::errc::not_found,
            std::string{"the processor "} + what + " is not installed in this database",
            "a workerd whose configuration switches it on installs it"};
    }
    return found;
}

libqueue::error no_endpoint(std::int64_t id) {
    return libqueue::error{libqueue::errc::not_found, "no endpoint " + std::to_string(id),
                           "qctl webhooks endpoints list shows them"};
}

std::string endpoint_path(std::int64_t id, std::string_view rest) {
    return "/webhooks/endpoints/" + std::to_string(id) + std::string{rest};
}

}  // namespace

result<report> any_processors::ask(const char* what, const statement& asked) {
    return if_installed(what, libqueue::operations{with_.client()}.query(asked));
}

result<report> any_processors::act(const char* what, std::string_view action,
                                   std::string_view target, const statement& asked) {
    return if_installed(
        what, libqueue::operations{with_.client()}.query_audited(action, target, {}, asked));
}

result<report> any_processors::endpoints(const text& tenant, number after, int limit) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return ask("webhook", statement{std::string{libqueue::sql::api_list_endpoints},
                                        {tenant, digits(after), std::to_string(limit)}});
    }
    api_request request{"GET", "/webhooks/endpoints"};
    add(request, "tenant_id", tenant);
    add(request, "after", after);
    return server->list(request, limit);
}

result<report> any_processors::endpoint(std::int64_t id) {
    auto found = endpoints(std::nullopt, id - 1, 1);
    if (!found) {
        return found;
    }
    if (found->rows.empty() || found->rows[0].at(0) != std::to_string(id)) {
        return no_endpoint(id);
    }
    found->rows.resize(1);
    return found;
}

result<void> any_processors::changed(std::int64_t id, std::string_view action,
                                     const statement& asked) {
    const auto row = act("webhook", action, "endpoint:" + std::to_string(id), asked);
    if (!row) {
        return row.error();
    }
    return row->rows.empty() ? result<void>{no_endpoint(id)} : result<void>{};
}

result<void> any_processors::enable_endpoint(std::int64_t id) {
    if (auto* const server = with_.server()) {
        return done(server->ask({"POST", endpoint_path(id, "/enable")}));
    }
    return changed(
        id, "endpoints.enable",
        statement{std::string{libqueue::sql::qctl_enable_endpoint}, {std::to_string(id)}});
}

result<void> any_processors::disable_endpoint(std::int64_t id, const std::string& reason) {
    if (auto* const server = with_.server()) {
        api_request request{"POST", endpoint_path(id, "/disable")};
        request.body = json_body{}.text("reason", reason).done();
        return done(server->ask(request));
    }
    return changed(
        id, "endpoints.disable",
        statement{std::string{libqueue::sql::qctl_disable_endpoint}, {std::to_string(id), reason}});
}

result<report> any_processors::deliveries(number endpoint, const text& outcome, const text& tenant,
                                          int limit) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return ask("webhook", statement{std::string{libqueue::sql::api_list_deliveries},
                                        {digits(endpoint), outcome, tenant, std::nullopt,
                                         std::to_string(limit)}});
    }
    api_request request{"GET", "/webhooks/deliveries"};
    add(request, "endpoint", endpoint);
    add(request, "outcome", outcome);
    add(request, "tenant_id", tenant);
    return server->list(request, limit);
}

result<report> any_processors::replay(const std::string& event, std::int64_t endpoint) {
    if (auto* const server = with_.server()) {
        api_request request{"POST", "/webhooks/deliveries/" + path_part(event) + "/replay"};
        request.body = json_body{}.integer("endpoint", endpoint).done();
        return server->object(request);
    }
    auto row = act("webhook", "deliveries.replay", "endpoint:" + std::to_string(endpoint),
                   statement{std::string{libqueue::sql::qctl_resend_event},
                             {std::to_string(endpoint), event}});
    if (row && row->rows.empty()) {
        return no_endpoint(endpoint);
    }
    return row;
}

result<report> any_processors::templates(const text& name, const text& status, const text& tenant,
                                         int limit) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return ask("email", statement{std::string{libqueue::sql::api_list_templates},
                                      {tenant, name, status, std::to_string(limit)}});
    }
    api_request request{"GET", "/templates"};
    add(request, "name", name);
    add(request, "status", status);
    add(request, "tenant_id", tenant);
    request.query.emplace_back("limit", std::to_string(std::min(limit, page_size)));
    return server->items(request);
}

}  // namespace qctl
