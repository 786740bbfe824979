#include "server/any_processors.hpp"

#include "context.hpp"
#include "printable.hpp"
#include "processors/email/preview.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"

#include <sql/api_create_endpoint.hpp>
#include <sql/api_disable_endpoint.hpp>
#include <sql/api_enable_endpoint.hpp>
#include <sql/api_find_template.hpp>
#include <sql/api_list_deliveries.hpp>
#include <sql/api_list_endpoints.hpp>
#include <sql/api_list_templates.hpp>
#include <sql/api_remove_endpoint.hpp>
#include <sql/api_replay_delivery.hpp>
#include <sql/api_rotate_endpoint.hpp>

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

std::string json_list(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& each : texts) {
        all += (all.empty() ? "[" : ",") + json_quoted(each);
    }
    return all.empty() ? "[\"*\"]" : all + "]";
}

}  // namespace

result<report> any_processors::ask(const char* what, const statement& asked) {
    return if_installed(what, libqueue::operations{with_.client()}.query(asked));
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

result<report> any_processors::create_endpoint(const wanted_endpoint& wanted) {
    if (auto* const server = with_.server()) {
        api_request request{"POST", "/webhooks/endpoints"};
        request.body = json_body{}
                           .text("url", wanted.url)
                           .texts("events", wanted.events)
                           .boolean("ordered", wanted.ordered)
                           .text("description", wanted.description)
                           .text("tenant_id", wanted.tenant)
                           .done();
        return server->object(request);
    }
    return ask("webhook", statement{std::string{libqueue::sql::api_create_endpoint},
                                    {wanted.tenant, wanted.url, json_list(wanted.events),
                                     wanted.ordered ? "true" : "false", wanted.description}});
}

result<void> any_processors::changed(std::string_view sql, std::int64_t id, const text& more) {
    statement asked{std::string{sql}, {std::nullopt, std::to_string(id)}};
    if (more) {
        asked.parameters.push_back(more);
    }
    const auto row = ask("webhook", asked);
    return row ? result<void>{} : result<void>{row.error()};
}

result<void> any_processors::enable_endpoint(std::int64_t id) {
    if (auto* const server = with_.server()) {
        return done(server->ask({"POST", endpoint_path(id, "/enable")}));
    }
    return changed(libqueue::sql::api_enable_endpoint, id);
}

result<void> any_processors::disable_endpoint(std::int64_t id, const std::string& reason) {
    if (auto* const server = with_.server()) {
        api_request request{"POST", endpoint_path(id, "/disable")};
        request.body = json_body{}.text("reason", reason).done();
        return done(server->ask(request));
    }
    return changed(libqueue::sql::api_disable_endpoint, id, reason);
}

result<void> any_processors::rotate_endpoint(std::int64_t id, std::chrono::seconds overlap) {
    if (auto* const server = with_.server()) {
        api_request request{"POST", endpoint_path(id, "/rotate-secret")};
        request.body = json_body{}.integer("overlap_seconds", overlap.count()).done();
        return done(server->ask(request));
    }
    return changed(libqueue::sql::api_rotate_endpoint, id, std::to_string(overlap.count()));
}

result<void> any_processors::remove_endpoint(std::int64_t id) {
    if (auto* const server = with_.server()) {
        return done(server->ask({"DELETE", endpoint_path(id, "")}));
    }
    return changed(libqueue::sql::api_remove_endpoint, id);
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
    return ask("webhook", statement{std::string{libqueue::sql::api_replay_delivery},
                                    {std::nullopt, std::to_string(endpoint), event}});
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

result<report> any_processors::preview(const wanted_preview& wanted) {
    if (auto* const server = with_.server()) {
        api_request request{"POST", "/templates/" + path_part(wanted.name) + "/preview"};
        request.body = json_body{}
                           .raw("variables", wanted.variables)
                           .text("locale", wanted.locale)
                           .text("zone", wanted.zone)
                           .integer("version", wanted.version)
                           .text("tenant_id", wanted.tenant)
                           .done();
        // An answer that is kept for a second asking would keep what the variables say.
        request.only_once = true;
        return server->object(request);
    }
    namespace email = libqueue::processors::email;
    email::template_request with{wanted.name};
    with.locale = wanted.locale.value_or(with.locale);
    with.zone = wanted.zone.value_or(with.zone);
    with.variables = wanted.variables;
    auto found =
        ask("email", statement{std::string{libqueue::sql::api_find_template},
                               {wanted.tenant, wanted.name, with.locale, digits(wanted.version)}});
    if (!found) {
        return found;
    }
    if (found->rows.empty()) {
        return libqueue::error{libqueue::errc::not_found,
                               "no template of this name, locale and version"};
    }
    return email::preview(*found, with);
}

}  // namespace qctl
