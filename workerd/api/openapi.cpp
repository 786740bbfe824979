#include "openapi.hpp"

#include "rights.hpp"
#include "route.hpp"

#include <libqueue/version.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <limits>
#include <string_view>

namespace workerd::api {

namespace {

namespace json = boost::json;

constexpr std::int64_t limit_max = 500;

std::string text(std::string_view from) {
    return std::string{from};
}

json::object reference(std::string_view kind, std::string_view name) {
    return {{"$ref", "#/components/" + text(kind) + '/' + text(name)}};
}

void add_bounds(json::object& schema, const field& row) {
    if (row.min == 0 && row.max == 0)
        return;
    const char* least = row.type == value_type::text   ? "minLength"
                        : row.type == value_type::list ? "minItems"
                                                       : "minimum";
    const char* most = row.type == value_type::text   ? "maxLength"
                       : row.type == value_type::list ? "maxItems"
                                                      : "maximum";
    schema[least] = row.min;
    schema[most] = row.max;
}

json::object schema_of(const field& row) {
    json::object schema;
    switch (row.type) {
        case value_type::text:
            schema["type"] = "string";
            break;
        case value_type::integer:
            schema["type"] = "integer";
            schema["format"] = "int64";
            break;
        case value_type::number:
            schema["type"] = "number";
            break;
        case value_type::boolean:
            schema["type"] = "boolean";
            break;
        case value_type::time:
            schema["type"] = "string";
            schema["format"] = "date-time";
            break;
        case value_type::uuid:
            schema["type"] = "string";
            schema["format"] = "uuid";
            break;
        case value_type::object:
            schema["type"] = "object";
            break;
        case value_type::list:
            schema["type"] = "array";
            schema["items"] = json::object{};
            break;
        case value_type::json:
            break;
    }
    add_bounds(schema, row);
    if (!row.choices.empty()) {
        json::array choices;
        auto rest = row.choices;
        for (auto end = rest.find('|'); end != std::string_view::npos; end = rest.find('|')) {
            choices.emplace_back(text(rest.substr(0, end)));
            rest.remove_prefix(end + 1);
        }
        choices.emplace_back(text(rest));
        schema["enum"] = std::move(choices);
    }
    return schema;
}

json::object parameter_of(const field& row, std::string_view place) {
    json::object made;
    made["name"] = text(row.name);
    made["in"] = text(place);
    made["required"] = row.required || place == "path";
    if (!row.doc.empty())
        made["description"] = text(row.doc);
    made["schema"] = schema_of(row);
    return made;
}

bool is_in_path(const route& from, std::string_view name) {
    return from.path.find('{' + text(name) + '}') != std::string_view::npos;
}

json::array parameters_of(const route& from) {
    json::array all;
    for (auto at = from.path.find('{'); at != std::string_view::npos;
         at = from.path.find('{', at + 1)) {
        const auto name = from.path.substr(at + 1, from.path.find('}', at) - at - 1);
        const auto row = std::ranges::find(from.parameters, name, &field::name);
        field standard{name, name == "id" ? value_type::integer : value_type::text,        {}, true,
                       1,    name == "id" ? std::numeric_limits<std::int64_t>::max() : 512};
        all.emplace_back(parameter_of(row == from.parameters.end() ? standard : *row, "path"));
    }
    for (const auto& row : from.parameters)
        if (!is_in_path(from, row.name))
            all.emplace_back(parameter_of(row, "query"));
    if (from.pages)
        for (const auto* name : {"limit", "cursor"})
            all.emplace_back(reference("parameters", name));
    if (from.method == verb::post && !from.secret)
        all.emplace_back(reference("parameters", "idempotency_key"));
    if (from.tagged && from.method != verb::get)
        all.emplace_back(reference("parameters", "if_match"));
    if (from.answers == shape::events)
        all.emplace_back(reference("parameters", "last_event_id"));
    return all;
}

json::object body_of(const route& from) {
    json::object members;
    json::array required;
    for (const auto& row : from.body) {
        auto schema = schema_of(row);
        if (!row.doc.empty())
            schema["description"] = text(row.doc);
        members[text(row.name)] = std::move(schema);
        if (row.required)
            required.emplace_back(text(row.name));
    }
    const bool is_required = !required.empty();
    json::object schema{
        {"type", "object"}, {"properties", std::move(members)}, {"additionalProperties", false}};
    if (is_required)
        schema["required"] = std::move(required);
    return {{"required", is_required},
            {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

json::object success_of(const route& from) {
    json::object made{{"description", from.status == 204 ? "Done." : text(from.summary)}};
    switch (from.answers) {
        case shape::object:
            made["content"] = {{"application/json", {{"schema", reference("schemas", "object")}}}};
            break;
        case shape::list:
            made["content"] = {{"application/json", {{"schema", reference("schemas", "list")}}}};
            break;
        case shape::lines:
            made["content"] = {{"application/x-ndjson", {{"schema", {{"type", "string"}}}}}};
            break;
        case shape::events:
            made["content"] = {{"text/event-stream", {{"schema", {{"type", "string"}}}}}};
            break;
        case shape::nothing:
            break;
    }
    return made;
}

// "GET /queues/{name}/jobs" is get_queues_name_jobs.
std::string operation_id(const route& from) {
    std::string id{to_string(from.method)};
    std::ranges::transform(id, id.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    for (const char c : from.path)
        if (c == '/' || c == '-' || c == '.')
            id += '_';
        else if (c != '{' && c != '}')
            id += c;
    return id;
}

std::string tag_of(const route& from) {
    const auto first = from.path.substr(1);
    return text(first.substr(0, std::min(first.find('/'), first.find('.'))));
}

json::object operation_of(const route& from) {
    json::object made;
    made["operationId"] = operation_id(from);
    made["tags"] = json::array{tag_of(from)};
    made["summary"] = text(from.summary);
    if (from.right.empty()) {
        made["security"] = json::array{};
    } else {
        const auto* known = find_right(from.right);
        made["description"] = "Right: `" + text(from.right) + "` (" +
                              text(libqueue::to_string(known->least)) +
                              (known->shared ? ", of no tenant)." : ").");
    }
    if (auto parameters = parameters_of(from); !parameters.empty())
        made["parameters"] = std::move(parameters);
    if (!from.body.empty())
        made["requestBody"] = body_of(from);
    json::object responses;
    responses[std::to_string(from.status)] = success_of(from);
    responses["default"] = reference("responses", "problem");
    made["responses"] = std::move(responses);
    return made;
}

json::object problem_schema() {
    const json::object string_type{{"type", "string"}};
    const json::object fault{
        {"type", "object"},
        {"properties", {{"where", string_type}, {"expected", string_type}, {"got", string_type}}}};
    return {{"type", "object"},
            {"required", {"type", "title", "status", "detail", "code", "errors", "request_id"}},
            {"properties",
             {{"type", string_type},
              {"title", string_type},
              {"status", {{"type", "integer"}}},
              {"detail", string_type},
              {"code", string_type},
              {"hint", string_type},
              {"errors", {{"type", "array"}, {"items", fault}}},
              {"request_id", string_type}}}};
}

json::object components() {
    json::object parameters;
    parameters["limit"] = parameter_of(
        {"limit", value_type::integer, "How many at most; 50 unless given.", false, 1, limit_max},
        "query");
    parameters["cursor"] = parameter_of(
        {"cursor", value_type::text, "`next` of the page before.", false, 1, 1024}, "query");
    parameters["idempotency_key"] = parameter_of(
        {"Idempotency-Key", value_type::text,
         "The request is carried out once, however often it is sent within a day.", false, 1, 128},
        "header");
    parameters["if_match"] = parameter_of(
        {"If-Match", value_type::text, "The ETag the edit begins from; 412 when it is another."},
        "header");
    parameters["last_event_id"] = parameter_of(
        {"Last-Event-ID", value_type::text, "The last event that was seen."}, "header");
    json::object made;
    made["parameters"] = std::move(parameters);
    made["schemas"] = {
        {"object", {{"type", "object"}, {"description", "The columns of one row."}}},
        {"list",
         {{"type", "object"},
          {"required", {"items", "next"}},
          {"properties",
           {{"items", {{"type", "array"}, {"items", {{"type", "object"}}}}},
            {"next", {{"type", {"string", "null"}}, {"description", "`cursor` of the next page."}}},
            {"capped",
             {{"type", "boolean"}, {"description", "The search ended before its end."}}}}}}},
        {"problem", problem_schema()}};
    made["responses"] = {
        {"problem",
         {{"description", "Why it was not done (RFC 9457)."},
          {"content",
           {{"application/problem+json", {{"schema", reference("schemas", "problem")}}}}}}}};
    made["securitySchemes"] = {{"token", {{"type", "http"}, {"scheme", "bearer"}}}};
    return made;
}

void indent(std::string& out, int depth) {
    out += '\n';
    out.append(static_cast<std::size_t>(depth) * 2, ' ');
}

void print(const json::value& from, std::string& out, int depth) {
    const auto* object = from.if_object();
    const auto* array = from.if_array();
    if ((object == nullptr || object->empty()) && (array == nullptr || array->empty())) {
        out += json::serialize(from);
        return;
    }
    bool is_first = true;
    out += object != nullptr ? '{' : '[';
    if (object != nullptr) {
        for (const auto& [name, value] : *object) {
            out += std::exchange(is_first, false) ? "" : ",";
            indent(out, depth + 1);
            out += json::serialize(json::value(name)) + ": ";
            print(value, out, depth + 1);
        }
    } else {
        for (const auto& value : *array) {
            out += std::exchange(is_first, false) ? "" : ",";
            indent(out, depth + 1);
            print(value, out, depth + 1);
        }
    }
    indent(out, depth);
    out += object != nullptr ? '}' : ']';
}

}  // namespace

std::string openapi_text() {
    json::object paths;
    for (const auto& each : all_routes()) {
        std::string method{to_string(each.method)};
        std::ranges::transform(method, method.begin(),
                               [](char c) { return static_cast<char>(c | 0x20); });
        auto& path = paths["/api/v1" + text(each.path)];
        if (path.is_null())
            path.emplace_object();
        path.get_object()[method] = operation_of(each);
    }
    json::object whole;
    whole["openapi"] = "3.1.0";
    whole["info"] = {{"title", "libqueue"},
                     {"version", text(libqueue::version)},
                     {"description", "Jobs, queues and what happens to them. See docs/api.md."}};
    whole["security"] = json::array{json::object{{"token", json::array{}}}};
    whole["paths"] = std::move(paths);
    whole["components"] = components();
    std::string out;
    print(whole, out, 0);
    return out + '\n';
}

}  // namespace workerd::api
