#include "processors/email/delivery.hpp"

#include "processors/email/message.hpp"
#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace libqueue::processors::email {

namespace {

options checked(options given) {
    std::string faults;
    const auto fault = [&faults](std::string_view text) {
        faults += faults.empty() ? "email: " : "; ";
        faults += text;
    };
    const auto is_host = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   c == '.' || c == '-' || c == ':' || c == '_';
        });
    };
    if (given.host.empty() || !is_host(given.host)) {
        fault("host: expected a host name or address");
    }
    if (!is_host(given.helo_name)) {
        fault("helo_name: expected a host name");
    }
    if (given.port < 1 || given.port > 65'535) {
        fault("port: expected 1 to 65535");
    }
    if (given.timeout <= std::chrono::milliseconds{0}) {
        fault("timeout: expected more than zero");
    }
    if (!given.from.empty() && !mailbox::parse(given.from)) {
        fault("from: expected a mail address");
    }
    const bool has_bearer = !given.bearer_file.empty();
    if (has_bearer && (given.username.empty() || !given.password.empty())) {
        fault("expected username and bearer_file without password");
    }
    if (!has_bearer && given.username.empty() != given.password.empty()) {
        fault("expected username and password, or neither");
    }
    const auto& link = given.unsubscribe_url;
    if (!link.empty() &&
        (!link.starts_with("https://") || link.size() > 512 || !is_ascii(link) ||
         has_control_characters(link) || link.find_first_of(" <>\t") != std::string::npos ||
         link.find("{token}") == std::string::npos)) {
        fault("unsubscribe_url: expected https:// and {token} in it");
    }
    if (given.hourly_per_recipient < 0) {
        fault("hourly_per_recipient: expected 0 or more");
    }
    if (!faults.empty()) {
        throw std::invalid_argument{faults};
    }
    return given;
}

/// Of the recipients' replies: all permanent, or some that may change.
std::optional<outcome> none_accepted(const smtp_transcript& transcript) {
    bool permanent = true;
    std::optional<smtp_reply> last;
    for (const auto& reply : transcript.recipients()) {
        if (!reply) {
            return std::nullopt;  // the session broke off before
        }
        if (reply->accepted()) {
            return std::nullopt;
        }
        permanent = permanent && reply->permanent();
        last = *reply;
    }
    auto why = "every recipient was refused: " + last->for_people();
    return permanent ? discard(std::move(why)) : retry(std::move(why));
}

outcome refused(std::string_view what, const smtp_reply& reply) {
    auto why = std::string{what} + ": " + reply.for_people();
    return reply.permanent() ? discard(std::move(why)) : retry(std::move(why));
}

/// A server that says something about this mail, a refusal too, is up.
void report_server(const run_view& run, const smtp_report& report) {
    const auto& transcript = report.transcript;
    const bool judged = transcript.verdict().has_value() || transcript.refusal().has_value() ||
                        none_accepted(transcript).has_value();
    if (judged) {
        run.provider_ok();
    } else if (!report.stopped) {
        run.provider_failed();
    }
}

outcome outcome_of(const smtp_report& report, const std::string& message_id,
                   unknown_policy on_unknown, libqueue::stop_reason reason) {
    const auto& transcript = report.transcript;
    if (const auto& verdict = transcript.verdict()) {
        // The server has spoken; what became of the connection afterwards does not matter.
        return verdict->accepted() ? completed() : refused("the message was refused", *verdict);
    }
    if (const auto& refusal = transcript.refusal()) {
        return refused("the message was refused", *refusal);
    }
    if (auto nobody = none_accepted(transcript)) {
        return std::move(*nobody);
    }
    if (report.stopped) {
        return stopped_outcome(reason);
    }
    if (transcript.is_body_sent()) {
        const auto why = "the connection was lost before the server answered; the mail " +
                         message_id + " may have been accepted (" + report.error + ")";
        return on_unknown == unknown_policy::park ? discard("parked: " + why) : retry(why);
    }
    if (const auto& refusal = transcript.session_refusal()) {
        // Bad credentials stay bad; a server that turns us away at the door may let us in later.
        return transcript.login_refused()
                   ? refused("the login was refused", *refusal)
                   : retry("the server refused us: " + refusal->for_people());
    }
    return retry(report.error.empty() ? "the session ended without an answer" : report.error);
}

}  // namespace

sender::sender(options given) : given_{checked(std::move(given))}, client_{given_} {}

outcome sender::deliver(const run_view& run) {
    const auto mail = mail_payload::parse(run.job.payload, given_.from);
    if (!mail) {
        return discard(mail.error().message);
    }
    if (mail->from_template) {
        return discard("payload.template: there is no template store here");
    }
    auto report = deliver(run, *mail, mail->recipients());
    return std::move(report.said);
}

delivery_report sender::deliver(const run_view& run, const mail_payload& mail,
                                const std::vector<std::string>& recipients) {
    const auto now = std::chrono::steady_clock::now();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::min(run.deadline, now + given_.timeout) - now);
    if (run.stop.stop_requested() || left <= std::chrono::milliseconds{0}) {
        return delivery_report{stopped_outcome(run.stop_reason())};
    }
    secret bearer;
    if (!given_.bearer_file.empty()) {
        // Read anew for every mail: whoever renews the token replaces the file.
        auto read = read_secret_file(given_.bearer_file);
        if (!read) {
            return delivery_report{retry(read.error().message)};
        }
        bearer = std::move(*read);
    }
    const auto id = message_id(mail, run);
    const envelope letter{mail.from->address, recipients,
                          message_text(mail, id, run.job.created_at)};
    const auto report = client_.send(letter, bearer, run.stop, left);
    report_server(run, report);
    auto made = report_of(report, recipients, id, given_.on_unknown, run.stop_reason());
    if (!bearer.empty() && report.transcript.login_refused()) {
        // A token runs out and is renewed, other than a password.
        made.said = retry(made.said.message());
    }
    return made;
}

std::string mail_summary::json() const {
    const auto masked = [](const std::string& address) {
        return json_string(with_addresses_masked(address));
    };
    std::string taken;
    for (const auto& address : accepted) {
        taken += (taken.empty() ? "" : ",") + masked(address);
    }
    std::string others;
    for (const auto& [address, said] : refused) {
        others += others.empty() ? "" : ",";
        others += R"({"address":)" + masked(address) + R"(,"status":)" +
                  json_string(said.enhanced_status()) + R"(,"reply":)" +
                  json_string(said.for_people()) + "}";
    }
    std::string out = R"({"message_id":)" + json_string(message_id) + R"(,"accepted":[)" + taken +
                      R"(],"rejected":[)" + others + R"(],"reply":)" + json_string(reply);
    if (!not_sent.empty()) {
        std::string left_out;
        for (const auto& [address, why] : not_sent) {
            left_out += left_out.empty() ? "" : ",";
            left_out +=
                R"({"address":)" + masked(address) + R"(,"reason":)" + json_string(why) + "}";
        }
        out += R"(,"not_sent":[)" + left_out + "]";
    }
    return out + "}";
}

delivery_report report_of(const smtp_report& report, const std::vector<std::string>& recipients,
                          const std::string& message_id, unknown_policy on_unknown,
                          libqueue::stop_reason reason) {
    const auto& transcript = report.transcript;
    delivery_report made{outcome_of(report, message_id, on_unknown, reason)};
    const auto& verdict = transcript.verdict();
    const bool judged = verdict || transcript.refusal() || none_accepted(transcript);
    if (verdict && verdict->accepted()) {
        made.fate = mail_fate::taken;
        made.reply = verdict->for_people();
    } else if (!judged && !report.stopped && transcript.is_body_sent()) {
        made.fate = mail_fate::doubtful;
    }
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        const auto& reply = transcript.recipients().at(i);
        if (reply && !reply->accepted()) {
            made.refused.emplace_back(i, *reply);
        } else if (made.fate == mail_fate::taken) {
            made.accepted.push_back(i);
        }
    }
    if (made.fate == mail_fate::taken) {
        mail_summary summary{message_id};
        for (const auto at : made.accepted) {
            summary.accepted.push_back(recipients[at]);
        }
        for (const auto& [at, reply] : made.refused) {
            summary.refused.emplace_back(recipients[at], reply);
        }
        summary.reply = made.reply;
        made.said = completed(summary.json());
    }
    return made;
}

}  // namespace libqueue::processors::email
