#include "processors/sms/delivery.hpp"

#include "processors/support/crypto.hpp"
#include "processors/support/form_body.hpp"
#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

namespace libqueue::processors::sms {

namespace {

namespace json = boost::json;

std::string messages_url(const options& given) {
    return given.url + "/2010-04-01/Accounts/" + percent_encoded(given.account) + "/Messages.json";
}

void prepare(http_request& request, const options& given) {
    request.ca_file = given.ca_file;
    request.allow_http = given.allow_http;
    request.addresses = given.allow_private ? address_policy::any : address_policy::public_only;
    const auto& user = given.user.empty() ? given.account : given.user;
    request.set("authorization",
                "Basic " + base64_encode(user + ":" + std::string{given.token.reveal()}));
    request.set("accept", "application/json");
}

std::optional<json::object> object_of(const std::string& text) {
    json::error_code failed;
    auto value = json::parse(text, failed);
    if (failed || !value.is_object()) {
        return std::nullopt;
    }
    return std::move(value.get_object());
}

std::string text_member(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(json::string_view{name.data(), name.size()});
    if (value == nullptr || !value->is_string()) {
        return {};
    }
    return {value->get_string().data(), value->get_string().size()};
}

/// Only what a provider's id or state is made of: it goes to outputs and logs.
std::string plain_word(std::string text) {
    text.resize(std::min<std::size_t>(text.size(), 64));
    std::erase_if(text, [](char c) {
        return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 c == '-' || c == '_');
    });
    return text;
}

std::string output_of(const json::object& message, const sms_payload& payload) {
    return R"({"sid":)" + json_string(plain_word(text_member(message, "sid"))) + R"(,"status":)" +
           json_string(plain_word(text_member(message, "status"))) + R"(,"segments":)" +
           std::to_string(payload.segments) + R"(,"to":)" + json_string(masked_number(payload.to)) +
           "}";
}

int code_of(const http_response& response) {
    const auto body = object_of(response.body);
    const auto* code = body ? body->if_contains("code") : nullptr;
    const bool fits = code != nullptr && code->is_int64() && code->get_int64() > 0 &&
                      code->get_int64() < 1'000'000;
    return fits ? static_cast<int>(code->get_int64()) : 0;
}

sms_report refused(const http_response& response) {
    constexpr std::array no_such_number{21211, 21214, 21217, 21401, 21614};
    constexpr int said_stop = 21610;
    const int code = code_of(response);
    auto why = "the provider answered " + std::to_string(response.status);
    if (code != 0) {
        why += " with code " + std::to_string(code);
    }
    sms_report made{discard(why)};
    made.detail = std::to_string(code == 0 ? static_cast<int>(response.status) : code);
    if (code == said_stop) {
        made.suppress = "stop";
    } else if (std::find(no_such_number.begin(), no_such_number.end(), code) !=
               no_such_number.end()) {
        made.suppress = "bounce";
    }
    return made;
}

sms_report doubtful(const std::string& why) {
    sms_report made{unknown("the message may have been sent: " + why)};
    made.fate = sms_fate::doubtful;
    return made;
}

sms_report report_of_answer(const http_response& response, const sms_payload& payload,
                            std::chrono::system_clock::time_point now) {
    const long status = response.status;
    const auto answered = "the provider answered " + std::to_string(status);
    if (status >= 200 && status < 300) {
        sms_report made{
            completed(output_of(object_of(response.body).value_or(json::object{}), payload))};
        made.fate = sms_fate::taken;
        return made;
    }
    if (status == 429 || status == 503) {
        const auto wait = retry_after_of(response, now);
        return sms_report{wait ? retry_after(*wait, answered + " and says when to come back")
                               : retry(answered)};
    }
    if (status >= 300 && status < 400) {
        return sms_report{discard(answered + ": redirects are not followed")};
    }
    // 408 says that it did not wait for us any longer, not what it had read by then.
    return status >= 400 && status < 500 && status != 408 ? refused(response) : doubtful(answered);
}

}  // namespace

options checked(options given) {
    std::string faults;
    const auto fault = [&faults](std::string_view text) {
        faults += faults.empty() ? "sms: " : "; ";
        faults += text;
    };
    const bool scheme =
        given.url.starts_with("https://") || (given.allow_http && given.url.starts_with("http://"));
    if (!scheme || given.url.ends_with('/') || has_control_characters(given.url)) {
        fault("url: expected https://host without a path");
    }
    if (given.account.empty() || has_control_characters(given.account)) {
        fault("account: expected the account's id");
    }
    if (given.token.empty()) {
        fault("token: expected one");
    }
    if (!given.from.empty() && !is_sender(given.from)) {
        fault("from: expected a number, a short code, a name or a service");
    }
    if (given.timeout <= std::chrono::milliseconds{0}) {
        fault("timeout: expected more than zero");
    }
    if (given.most_segments < 1 || given.most_segments > 10) {
        fault("most_segments: expected 1 to 10");
    }
    if (given.hourly_per_recipient < 0) {
        fault("hourly_per_recipient: expected 0 or more");
    }
    if (!faults.empty()) {
        throw std::invalid_argument{faults};
    }
    return given;
}

std::string sent_text(const options& given, const sms_payload& payload, const run_view& run) {
    if (given.on_unknown == unknown_policy::park) {
        return payload.text;
    }
    return payload.text + " #" + sha256_hex("sms\n" + delivery_id(run)).substr(0, 8);
}

http_request send_request(const options& given, const sms_payload& payload,
                          const std::string& text) {
    form_body form;
    form.add("To", payload.to);
    const bool service = payload.from.size() == 34 && payload.from.starts_with("MG");
    form.add(service ? "MessagingServiceSid" : "From", payload.from);
    form.add("Body", text);
    http_request request{messages_url(given), form.text()};
    prepare(request, given);
    request.set("content-type", "application/x-www-form-urlencoded");
    // libcurl would post again by itself when a connection it had kept ends without an answer.
    request.may_repeat = false;
    return request;
}

http_request list_request(const options& given, const sms_payload& payload, const run_view& run) {
    // A day of slack for clocks that differ.
    const auto day =
        std::chrono::floor<std::chrono::days>(run.job.created_at) - std::chrono::days{1};
    const std::chrono::year_month_day date{day};
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    const auto url = messages_url(given) + "?To=" + percent_encoded(payload.to) +
                     "&DateSent%3E=" + text.data() + "&PageSize=200";
    http_request request{"GET", url, {}};
    prepare(request, given);
    request.body_limit = 1UL << 20U;
    return request;
}

sms_report report_of(const http_response& response, const sms_payload& payload,
                     libqueue::stop_reason reason, std::chrono::system_clock::time_point now) {
    switch (response.end) {
        case http_end::answered:
            return report_of_answer(response, payload, now);
        case http_end::address_refused:
        case http_end::bad_url:
            return sms_report{discard(response.error)};
        case http_end::stopped:
            return response.sent ? doubtful("the run was stopped before the provider answered")
                                 : sms_report{stopped_outcome(reason)};
        case http_end::timed_out:
        case http_end::failed:
            break;
    }
    return response.sent ? doubtful(response.error) : sms_report{retry(response.error)};
}

result<std::optional<std::string>> find_in_list(const http_response& response,
                                                const sms_payload& payload, std::string_view text) {
    if (response.end != http_end::answered || response.status != 200) {
        return error{errc::conflict,
                     response.end == http_end::answered
                         ? "the provider answered " + std::to_string(response.status)
                         : response.error};
    }
    const auto body = object_of(response.body);
    const auto* messages = body ? body->if_contains("messages") : nullptr;
    if (messages == nullptr || !messages->is_array()) {
        return error{errc::conflict, "the provider's list is not one (messages is missing)"};
    }
    for (const auto& item : messages->get_array()) {
        if (item.is_object() && text_member(item.get_object(), "body") == text) {
            return std::optional{output_of(item.get_object(), payload)};
        }
    }
    return std::optional<std::string>{};
}

}  // namespace libqueue::processors::sms
