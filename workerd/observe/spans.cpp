#include "observe/spans.hpp"

#include <libqueue/version.hpp>

#include <boost/json.hpp>

#include <cstdlib>

namespace workerd::observe {

namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

json::object text_attribute(std::string_view key, std::string_view value) {
    json::object made;
    made["key"] = view(key);
    made["value"] = json::object{{"stringValue", view(value)}};
    return made;
}

json::object number_attribute(std::string_view key, std::int64_t value) {
    json::object made;
    made["key"] = view(key);
    made["value"] = json::object{{"intValue", std::to_string(value)}};
    return made;
}

json::object json_of(const span& of) {
    constexpr int error_status = 2;
    json::object made;
    made["traceId"] = of.at.trace_id();
    made["spanId"] = of.at.span_id();
    if (of.parent != 0)
        made["parentSpanId"] = of.at.with_span(of.parent).span_id();
    made["name"] = of.name;
    made["kind"] = static_cast<int>(of.what);
    made["startTimeUnixNano"] = std::to_string(of.begin_us * 1'000);
    made["endTimeUnixNano"] = std::to_string(of.end_us * 1'000);
    json::array attributes;
    for (const auto& [key, value] : of.texts)
        attributes.push_back(text_attribute(key, value));
    for (const auto& [key, value] : of.numbers)
        attributes.push_back(number_attribute(key, value));
    made["attributes"] = std::move(attributes);
    if (!of.links.empty()) {
        json::array links;
        for (const auto& link : of.links)
            links.push_back(json::object{{"traceId", link.trace_id()}, {"spanId", link.span_id()}});
        made["links"] = std::move(links);
    }
    if (of.failed)
        made["status"] = json::object{{"code", error_status}};
    return made;
}

}  // namespace

std::string otlp_json(const std::vector<span>& spans,
                      const std::vector<std::pair<std::string, std::string>>& resource) {
    json::array attributes;
    for (const auto& [key, value] : resource)
        attributes.push_back(text_attribute(key, value));
    json::array all;
    for (const auto& each : spans)
        all.push_back(json_of(each));
    json::object scope;
    scope["scope"] = json::object{{"name", "libqueue"}, {"version", view(libqueue::version)}};
    scope["spans"] = std::move(all);
    json::array scopes;
    scopes.push_back(std::move(scope));
    json::object of;
    of["resource"] = json::object{{"attributes", std::move(attributes)}};
    of["scopeSpans"] = std::move(scopes);
    json::array resources;
    resources.push_back(std::move(of));
    json::object whole;
    whole["resourceSpans"] = std::move(resources);
    return json::serialize(whole);
}

std::int64_t rejected_spans(std::string_view answer) {
    boost::system::error_code ec;
    const json::value value = json::parse(view(answer), ec);
    if (ec || !value.is_object())
        return 0;
    const auto* const partial = value.get_object().if_contains("partialSuccess");
    if (partial == nullptr || !partial->is_object())
        return 0;
    const auto* const rejected = partial->get_object().if_contains("rejectedSpans");
    if (rejected == nullptr)
        return 0;
    if (rejected->is_string())
        return std::strtoll(rejected->get_string().c_str(), nullptr, 10);
    return rejected->is_int64() ? rejected->get_int64() : 0;
}

}  // namespace workerd::observe
