#include "api_call.hpp"
#include "processors/email/preview.hpp"
#include "routes/routes.hpp"

#include <libqueue/operations.hpp>
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

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

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

// The functions of the processor write what they did into the audit themselves.
libqueue::report change(api_call& call, const statement& asked) {
    auto done = of_processor("webhook", [&] { return operations{call.database()}.query(asked); });
    call.note_change();
    return done;
}

answer changed_endpoint(api_call& call, const statement& asked) {
    static_cast<void>(change(call, asked));
    boost::json::object body;
    body["id"] = call.id();
    return reply_json(body);
}

answer create_endpoint(api_call& call) {
    boost::json::array events;
    for (const auto& each : call.member_texts("events").value_or(std::vector<std::string>{"*"}))
        events.emplace_back(each);
    const bool is_ordered = call.member_flag("ordered").value_or(false);
    const statement asked{std::string{libqueue::sql::api_create_endpoint},
                          {call.tenant(), call.member_text("url"), boost::json::serialize(events),
                           is_ordered ? "true" : "false", call.member_text("description")}};
    const auto made = change(call, asked);
    return reply_object(made, 201);
}

answer rotate_endpoint(api_call& call) {
    constexpr std::int64_t a_day = 86'400;
    const auto overlap = call.member_integer("overlap_seconds").value_or(a_day);
    const statement asked{std::string{libqueue::sql::api_rotate_endpoint},
                          {call.tenant(), std::to_string(call.id()), std::to_string(overlap)}};
    return changed_endpoint(call, asked);
}

answer remove_endpoint(api_call& call) {
    const statement asked{std::string{libqueue::sql::api_remove_endpoint},
                          {call.tenant(), std::to_string(call.id())}};
    return changed_endpoint(call, asked);
}

answer enable_endpoint(api_call& call) {
    const statement asked{std::string{libqueue::sql::api_enable_endpoint},
                          {call.tenant(), std::to_string(call.id())}};
    return changed_endpoint(call, asked);
}

answer disable_endpoint(api_call& call) {
    const statement asked{
        std::string{libqueue::sql::api_disable_endpoint},
        {call.tenant(), std::to_string(call.id()), call.member_text("reason").value_or("")}};
    return changed_endpoint(call, asked);
}

answer replay_delivery(api_call& call) {
    const auto endpoint = std::to_string(call.member_integer("endpoint").value_or(0));
    const statement asked{std::string{libqueue::sql::api_replay_delivery},
                          {call.tenant(), endpoint, call.name("event_id")}};
    return reply_object(change(call, asked));
}

answer list_templates(api_call& call) {
    const statement asked{
        std::string{libqueue::sql::api_list_templates},
        {call.tenant(), call.text("name"), call.text("status"), std::to_string(call.limit())}};
    return reply_list(
        of_processor("email", [&] { return operations{call.database()}.query(asked); }));
}

answer preview_template(api_call& call) {
    namespace email = libqueue::processors::email;
    email::template_request with{call.name()};
    with.locale = call.member_text("locale").value_or(with.locale);
    with.zone = call.member_text("zone").value_or(with.zone);
    with.version = call.member_integer("version");
    with.variables = call.member_json("variables").value_or(with.variables);
    const statement asked{std::string{libqueue::sql::api_find_template},
                          {call.tenant(), with.name, with.locale, number(with.version)}};
    const auto found =
        of_processor("email", [&] { return operations{call.database()}.query(asked); });
    if (found.rows.empty())
        refuse_missing("template of this name, locale and version");
    return reply_object(email::preview(found, with).value());
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
constexpr std::array new_endpoint{
    field{"url", value_type::text, "Where events are sent.", true, 1, 2'048},
    field{"events", value_type::list, "Patterns of events, such as order.*; none: all.", false, 1,
          100},
    field{"ordered", value_type::boolean, "One after the other, as they were published."},
    field{"description", value_type::text, "For people.", false, 0, 1'000},
    tenant_parameter,
};
constexpr std::array overlap{
    field{"overlap_seconds", value_type::integer,
          "How long the old secret signs, too; none: a day.", false, 0, 2'592'000},
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

constexpr std::array preview_body{
    field{"variables", value_type::object, "What the template's variables are."},
    field{"locale", value_type::text, "As a mail in it would be found; none: default.", false, 1,
          35},
    field{"zone", value_type::text, "In which dates and times are written; none: UTC.", false, 1,
          64},
    field{"version", value_type::integer, "This version, drafts too; none: the active one.", false,
          1, 2'147'483'647},
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
    route{.method = verb::post,
          .path = "/webhooks/endpoints",
          .right = "endpoints.change",
          .summary = "Make an endpoint. Its secret is derived from the endpoint key of workerd.",
          .body = new_endpoint,
          .status = 201,
          .run = create_endpoint},
    route{.method = verb::remove,
          .path = "/webhooks/endpoints/{id}",
          .right = "endpoints.change",
          .summary = "Remove the endpoint; its log stays until it is pruned.",
          .parameters = tenant_only,
          .run = remove_endpoint},
    route{.method = verb::post,
          .path = "/webhooks/endpoints/{id}/rotate-secret",
          .right = "endpoints.change",
          .summary = "Give the endpoint a new secret; both sign for a while.",
          .parameters = tenant_only,
          .body = overlap,
          .run = rotate_endpoint},
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
    route{.method = verb::post,
          .path = "/templates/{name}/preview",
          .right = "templates.preview",
          .summary = "Subject and texts a mail made from the template would have; nothing is sent.",
          .body = preview_body,
          .secret = true,
          .run = preview_template},
};

}  // namespace

std::span<const route> processor_routes() {
    return rows;
}

}  // namespace workerd::api
