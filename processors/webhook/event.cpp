#include "processors/webhook/event.hpp"

#include "processors/support/payload.hpp"

#include <algorithm>
#include <limits>

namespace libqueue::processors::webhook {

namespace {

constexpr std::size_t longest_type = 255;
constexpr std::size_t longest_id = 128;
constexpr std::size_t longest_time = 40;

bool is_letter_or_digit(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string standard_body(const event_payload& event) {
    return R"({"type":)" + json_string(event.type) + R"(,"timestamp":)" + json_string(event.at) +
           R"(,"data":)" + event.data + "}";
}

std::string cloudevent_body(const event_payload& event, const std::string& source) {
    return R"({"specversion":"1.0","id":)" + json_string(event.id) + R"(,"source":)" +
           json_string(source) + R"(,"type":)" + json_string(event.type) + R"(,"time":)" +
           json_string(event.at) + R"(,"datacontenttype":"application/json","data":)" + event.data +
           "}";
}

}  // namespace

bool is_event_type(std::string_view text) noexcept {
    const bool known = std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
    });
    return known && !text.empty() && text.size() <= longest_type && text.front() != '.' &&
           text.back() != '.' && text.find("..") == std::string_view::npos;
}

bool is_event_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= longest_id &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) || c == '_' || c == '-' || c == ':';
           });
}

result<event_payload> event_payload::parse(const run_view& run) {
    payload_reader reader{run.job.payload};
    event_payload made;
    const auto endpoint =
        reader.optional_integer("endpoint", 1, std::numeric_limits<std::int64_t>::max());
    if (!endpoint && reader.ok()) {
        reader.fault("endpoint", "expected the id of an endpoint, got nothing");
    }
    made.endpoint = endpoint.value_or(0);
    made.type = reader.text("event");
    made.id = reader.optional_text("event_id").value_or(delivery_id(run));
    made.at = reader.optional_text("at").value_or(utc_text(run.job.created_at));
    made.data = std::string{reader.raw("data")};
    if (!made.type.empty() && !is_event_type(made.type)) {
        reader.fault("event", "expected words of A-Z a-z 0-9 _ - with dots between");
    }
    if (!is_event_id(made.id)) {
        reader.fault("event_id", "expected 1 to 128 of A-Z a-z 0-9 _ : -");
    }
    const bool is_time = !made.at.empty() && made.at.size() <= longest_time &&
                         made.at.find_first_not_of("0123456789-+:.TZ") == std::string::npos;
    if (!is_time) {
        reader.fault("at", "expected a time as 2026-11-21T10:00:00.000Z");
    }
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    return made;
}

http_request message_of(const settings& with, const endpoint& to, const event_payload& event) {
    const auto& source = with.given.source;
    switch (to.format) {
        case message_format::cloudevents_structured: {
            auto request =
                with.signed_request(to.url, cloudevent_body(event, source), event.id, to.keys);
            request.set("content-type", "application/cloudevents+json; charset=utf-8");
            return request;
        }
        case message_format::cloudevents_binary: {
            auto request = with.signed_request(to.url, event.data, event.id, to.keys);
            request.set("content-type", "application/json");
            request.set("ce-specversion", "1.0");
            request.set("ce-id", event.id);
            request.set("ce-source", source);
            request.set("ce-type", event.type);
            request.set("ce-time", event.at);
            return request;
        }
        case message_format::standard:
            break;
    }
    auto request = with.signed_request(to.url, standard_body(event), event.id, to.keys);
    request.set("content-type", "application/json");
    return request;
}

}  // namespace libqueue::processors::webhook
