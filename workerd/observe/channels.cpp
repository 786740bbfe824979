#include "observe/channels.hpp"

#include "processors/sms/delivery.hpp"
#include "processors/support/crypto.hpp"
#include "processors/support/form_body.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/webhook.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <utility>

namespace workerd::observe {

namespace {

namespace json = boost::json;
namespace processors = libqueue::processors;
using namespace std::chrono_literals;

constexpr auto patience = 10s;

std::string line_of(const notice& what) {
    if (what.is_over())
        return "[resolved] " + what.rule + ": over; it was: " + what.summary;
    return "[" + what.severity + "] " + what.rule + ": " + what.summary;
}

json::object json_of(const notice& what) {
    json::object made;
    made["id"] = what.id;
    made["rule"] = what.rule;
    made["subject"] = what.subject;
    made["severity"] = what.severity;
    made["summary"] = what.summary;
    made["value"] = what.value;
    made["threshold"] = what.threshold;
    made["raised_at"] = what.raised_at;
    if (what.is_over())
        made["resolved_at"] = what.resolved_at;
    return made;
}

/// The same for each try of one notice, another for the next notice of the same alert.
std::string id_of(const notice& what) {
    const std::string alert = "alert_" + std::to_string(what.id);
    if (what.is_over())
        return alert + "_resolved";
    return what.number > 1 ? alert + "_" + std::to_string(what.number) : alert;
}

std::string mail_text(const notice& what) {
    const auto id = std::to_string(what.id);
    auto text = what.summary + "\n\nalert " + id + ", rule " + what.rule + ", since " +
                what.raised_at + "\nvalue " + what.value + ", threshold " + what.threshold + "\n\n";
    if (what.is_over())
        return text + "over since " + what.resolved_at + "\n";
    return text + "qctl alerts acknowledge " + id + "\n";
}

libqueue::job job_for(const notice& what, std::string kind, std::string payload) {
    libqueue::job made;
    made.id = what.id;
    made.kind = std::move(kind);
    made.payload = std::move(payload);
    made.created_at =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    return made;
}

/// Twilio's markup takes no `<` and `&` in a text.
std::string spoken(const std::string& text) {
    std::string made{"<Response><Say>"};
    for (const char c : text) {
        if (c != '<' && c != '>' && c != '&')
            made += c;
    }
    return made + "</Say></Response>";
}

}  // namespace

channels::channels(const channel_options& given, std::optional<processors::email::options> mail,
                   std::optional<processors::sms::options> sms, logger& log)
    : given_{given}, sms_{std::move(sms)}, log_{log} {
    for (const auto* name : {"webhook", "slack", "pagerduty", "sms", "call"})
        senders_.emplace(name, std::make_unique<http_sender>(log));
    if (mail) {
        mail->stores = false;  // no opting out of alerts, and no limits of marketing
        mail_ = std::make_unique<processors::email::sender>(std::move(*mail));
    }
    if (sms_)
        sms_->stores = false;
}

bool channels::tell(const notice& what, const std::string& channel) {
    if (channel == "log")
        return tell_log(what);
    if (channel == "mail")
        return tell_mail(what);
    if (channel == "webhook")
        return tell_webhook(what);
    if (channel == "slack")
        return tell_slack(what);
    if (channel == "pagerduty")
        return tell_pagerduty(what);
    if (channel == "sms" || channel == "call")
        return tell_phones(what, channel == "call");
    return false;
}

bool channels::tell_log(const notice& what) {
    const auto firing = what.severity == "critical" ? log_level::error : log_level::warn;
    log_.write(what.is_over() ? log_level::info : firing, what.is_over() ? "alert_over" : "alert",
               what.is_over() ? "an alert is over" : "an alert is firing",
               std::vector<log_field>{{"alert", what.id},
                                      {"rule", what.rule},
                                      {"subject", what.subject},
                                      {"severity", what.severity},
                                      {"summary", what.summary}});
    return true;
}

bool channels::tell_mail(const notice& what) {
    if (!mail_ || given_.mail_to.empty())
        return false;
    json::object payload;
    json::array to;
    for (const auto& address : given_.mail_to)
        to.emplace_back(address);
    payload["to"] = std::move(to);
    payload["subject"] = line_of(what);
    payload["text"] = mail_text(what);
    const auto job = job_for(what, "alert.mail", json::serialize(payload));
    processors::run_view run{job};
    run.deadline = std::chrono::steady_clock::now() + patience;
    return mail_->deliver(run).kind() == libqueue::outcome::type::completed;
}

bool channels::tell_webhook(const notice& what) {
    const auto key = libqueue::webhook::key::parse(given_.webhook_secret);
    if (given_.webhook_url.empty() || !key)
        return false;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    json::object body;
    body["type"] = what.is_over() ? "alert.resolved" : "alert.firing";
    body["timestamp"] = what.is_over() ? what.resolved_at : what.raised_at;
    body["data"] = json_of(what);
    processors::http_request request{given_.webhook_url, json::serialize(body)};
    const std::vector keys{*key};
    request.set("content-type", "application/json");
    request.set("webhook-id", id_of(what));
    request.set("webhook-timestamp", std::to_string(now.time_since_epoch().count()));
    request.set("webhook-signature",
                libqueue::webhook::signature_header(keys, id_of(what), now, request.body));
    return post("webhook", std::move(request));
}

bool channels::tell_slack(const notice& what) {
    if (given_.slack_url.empty())
        return false;
    json::object body;
    body["text"] = line_of(what);
    processors::http_request request{given_.slack_url, json::serialize(body)};
    request.set("content-type", "application/json");
    return post("slack", std::move(request));
}

/// Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
bool channels::tell_pagerduty(const notice& what) {
    if (given_.pagerduty_key.empty())
        return false;
    json::object details;
    details["summary"] = line_of(what);
    details["source"] = "workerd";
    details["severity"] = what.severity;
    details["component"] = what.subject;
    details["custom_details"] = json_of(what);
    json::object body;
    body["routing_key"] = given_.pagerduty_key;
    body["event_action"] = what.is_over() ? "resolve" : "trigger";
    body["dedup_key"] = "libqueue-" + what.rule + "-" + what.subject;
    body["payload"] = std::move(details);
    processors::http_request request{given_.pagerduty_url, json::serialize(body)};
    request.set("content-type", "application/json");
    return post("pagerduty", std::move(request));
}

/// Messages and calls of the provider that `sms.send` has. Every number is tried; one that was
/// reached is enough, else all would ring again and again for one that is wrong.
bool channels::tell_phones(const notice& what, bool call) {
    if (!sms_)
        return false;
    bool reached = false;
    for (const auto& number : call ? given_.call_to : given_.sms_to) {
        processors::form_body form;
        form.add("To", number);
        form.add("From", sms_->from);
        if (call)
            form.add("Twiml", spoken(line_of(what)));
        else
            form.add("Body", line_of(what));
        processors::http_request request{sms_->url + "/2010-04-01/Accounts/" + sms_->account +
                                             (call ? "/Calls.json" : "/Messages.json"),
                                         form.text()};
        request.set("content-type", "application/x-www-form-urlencoded");
        const std::string user = sms_->user.empty() ? sms_->account : sms_->user;
        request.set(
            "authorization",
            "Basic " + processors::base64_encode(user + ":" + std::string{sms_->token.reveal()}));
        request.ca_file = sms_->ca_file;
        request.allow_http = sms_->allow_http;
        if (sms_->allow_private)
            request.addresses = processors::address_policy::any;
        request.may_repeat = false;
        reached = send(call ? "call" : "sms", request) || reached;
    }
    return reached;
}

bool channels::post(const std::string& channel, processors::http_request request) {
    if (given_.allow_private) {
        request.allow_http = true;
        request.addresses = processors::address_policy::any;
    }
    return send(channel, request);
}

bool channels::send(const std::string& channel, const processors::http_request& request) {
    const auto answer = senders_.at(channel)->send(request, {}, patience);
    return answer.end == processors::http_end::answered && answer.status >= 200 &&
           answer.status < 300;
}

}  // namespace workerd::observe
