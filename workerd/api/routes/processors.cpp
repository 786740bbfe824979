#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/operations.hpp>
#include <sql/api_disable_endpoint.hpp>
#include <sql/api_enable_endpoint.hpp>
#include <sql/api_list_deliveries.hpp>
#include <sql/api_list_endpoints.hpp>
#include <sql/api_list_templates.hpp>
#include <sql/api_replay_delivery.hpp>

#include <algorithm>
#include <array>

// What belongs to processors and not to the engine: tables of schemas that are there only where the
// processor is used.

namespace workerd::api {

namespace {

using libqueue::operations;
using libqueue::statement;

template <typename Ask>
libqueue::report of_processor(const char* name, Ask ask) {
    auto found = ask();
    // A missing schema, table or function; the queue's own were there a moment ago.
    if (!found && found.error().code == libqueue::errc::schema_mismatch)
        refuse(404, "not_found",
               std::string{"the processor "} + name + " is not installed in this database");
    return found.value();
}

std::optional<std::string> number(std::optional<std::int64_t> value) {
    return value ? std::optional{std::to_string(*value)} : std::nullopt;
}

answer list_endpoints(api_call& call) {
    const statement asked{std::string{libqueue::sql::api_list_endpoints},
                          {call.tenant(), number(call.cursor_id()), std::to_string(call.limit())}};
    return reply_page(
        of_processor("webhook", [&] { return operations{call.database()}.query(asked); }),
        call.limit());
}

/// Where a page of deliveries ended: time, job and attempt.
class delivery_place {
   public:
    delivery_place() = default;
    std::optional<std::string> at;
    std::optional<std::string> job;
    std::optional<std::string> attempt;
};

delivery_place place_of(api_call& call) {
    delivery_place place;
    const auto cursor = call.cursor();
    if (!cursor)
        return place;
    const auto first = cursor->find('|');
    const auto last = cursor->rfind('|');
    if (first == last)
        refuse_value("query.cursor", "`next` of a page of this list", "something else");
    place.at = cursor->substr(0, first);
    place.job = cursor->substr(first + 1, last - first - 1);
    place.attempt = cursor->substr(last + 1);
    return place;
}

std::string text_in(const libqueue::report& of, std::string_view column) {
    const auto place = std::ranges::find(of.columns, column, &libqueue::column::name);
    return of.rows.back().at(static_cast<std::size_t>(place - of.columns.begin())).value_or("");
}

answer list_deliveries(api_call& call) {
    const auto after = place_of(call);
    const statement asked{std::string{libqueue::sql::api_list_deliveries},
                          {number(call.integer("endpoint")), call.text("outcome"), call.tenant(),
                           after.at, std::to_string(call.limit()), after.job, after.attempt}};
    const auto found =
        of_processor("webhook", [&] { return operations{call.database()}.query(asked); });
    if (found.rows.size() < static_cast<std::size_t>(call.limit()))
        return reply_list(found);
    return reply_list(found, text_in(found, "at") + '|' + text_in(found, "job_id") + '|' +
                                 text_in(found, "attempt"));
}

answer changed_endpoint(api_call& call, std::string_view action, const statement& asked) {
    static_cast<void>(of_processor("webhook", [&] {
        return operations{call.database()}.query_audited(
            action, "endpoint:" + std::to_string(call.id()), {}, asked);
    }));
    boost::json::object body;
    body["id"] = call.id();
    return reply_json(body);
}

answer enable_endpoint(api_call& call) {
    const statement asked{std::string{libqueue::sql::api_enable_endpoint},
                          {call.tenant(), std::to_string(call.id())}};
    return changed_endpoint(call, "endpoints.enable", asked);
}

answer disable_endpoint(api_call& call) {
    const statement asked{
        std::string{libqueue::sql::api_disable_endpoint},
        {call.tenant(), std::to_string(call.id()), call.member_text("reason").value_or("")}};
    return changed_endpoint(call, "endpoints.disable", asked);
}

answer replay_delivery(api_call& call) {
    const auto endpoint = std::to_string(call.member_integer("endpoint").value_or(0));
    const statement asked{std::string{libqueue::sql::api_replay_delivery},
                          {call.tenant(), endpoint, call.name("event_id")}};
    return reply_object(of_processor("webhook", [&] {
        return operations{call.database()}.query_audited("deliveries.replay",
                                                         "endpoint:" + endpoint, {}, asked);
    }));
}

answer list_templates(api_call& call) {
    const statement asked{
        std::string{libqueue::sql::api_list_templates},
        {call.tenant(), call.text("name"), call.text("status"), std::to_string(call.limit())}};
    return reply_list(
        of_processor("email", [&] { return operations{call.database()}.query(asked); }));
}

constexpr std::array tenant_only{tenant_parameter};
constexpr std::array endpoint_parameters{after_parameter, tenant_parameter};
constexpr std::array delivery_parameters{
    field{"endpoint", value_type::integer, "Of this endpoint only.", false, 1,
          9'000'000'000'000'000'000},
    field{"outcome", value_type::text, "With this outcome only.", false, 1, 64},
    tenant_parameter,
};
constexpr std::array reason{
    field{"reason", value_type::text, "For people.", false, 0, 1000},
};
constexpr std::array event_path{
    tenant_parameter,
    field{"event_id", value_type::text, "", true, 1, 200},
};
constexpr std::array replay_body{
    field{"endpoint", value_type::integer, "To which endpoint.", true, 1,
          9'000'000'000'000'000'000},
};
constexpr std::array template_parameters{
    field{"name", value_type::text, "Exact.", false, 1, 128},
    field{"status", value_type::text, "In this status only.", false, 0, 0, "draft|active|archived"},
    field{"limit", value_type::integer, "How many at most.", false, 1, 500},
    tenant_parameter,
};

constexpr std::array rows{
    route{.path = "/webhooks/endpoints",
          .right = "webhooks.read",
          .summary = "Webhook endpoints and how the last day went.",
          .parameters = endpoint_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_endpoints},
    route{.path = "/webhooks/deliveries",
          .right = "webhooks.read",
          .summary = "Attempts to deliver events, newest first; never what was sent.",
          .parameters = delivery_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_deliveries},
    route{.method = verb::post,
          .path = "/webhooks/endpoints/{id}/enable",
          .right = "endpoints.change",
          .summary = "Send to the endpoint again.",
          .parameters = tenant_only,
          .run = enable_endpoint},
    route{.method = verb::post,
          .path = "/webhooks/endpoints/{id}/disable",
          .right = "endpoints.change",
          .summary = "Send nothing to the endpoint until it is enabled.",
          .parameters = tenant_only,
          .body = reason,
          .run = disable_endpoint},
    route{.method = verb::post,
          .path = "/webhooks/deliveries/{event_id}/replay",
          .right = "deliveries.replay",
          .summary = "Send an event to an endpoint once more.",
          .parameters = event_path,
          .body = replay_body,
          .status = 200,
          .run = replay_delivery},
    route{.path = "/templates",
          .right = "templates.read",
          .summary = "Mail templates, every version, without their text.",
          .parameters = template_parameters,
          .answers = shape::list,
          .run = list_templates},
};

}  // namespace

std::span<const route> processor_routes() {
    return rows;
}

}  // namespace workerd::api
