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
    if (given.username.empty() != given.password.empty()) {
        fault("expected username and password, or neither");
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

std::string output_of(const smtp_transcript& transcript, const std::vector<std::string>& recipients,
                      const std::string& message_id) {
    std::vector<std::string> accepted;
    std::string rejected;
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        const auto& reply = transcript.recipients().at(i);
        if (!reply || reply->accepted()) {
            accepted.push_back(recipients[i]);
            continue;
        }
        rejected += rejected.empty() ? "" : ",";
        rejected += R"({"address":)" + json_string(recipients[i]) + R"(,"reply":)" +
                    json_string(reply->for_people()) + "}";
    }
    return R"({"message_id":)" + json_string(message_id) + R"(,"accepted":)" +
           json_strings(accepted) + R"(,"rejected":[)" + rejected + R"(],"reply":)" +
           json_string(transcript.verdict()->for_people()) + "}";
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

}  // namespace

sender::sender(options given) : given_{checked(std::move(given))}, client_{given_} {}

outcome sender::deliver(const run_view& run) {
    const auto mail = mail_payload::parse(run.job.payload, given_.from);
    if (!mail) {
        return discard(mail.error().message);
    }
    const auto now = std::chrono::steady_clock::now();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::min(run.deadline, now + given_.timeout) - now);
    if (run.stop.stop_requested() || left <= std::chrono::milliseconds{0}) {
        return stopped_outcome(run.stop_reason());
    }
    const auto id = message_id(*mail, run);
    const auto recipients = mail->recipients();
    const envelope letter{mail->from->address, recipients,
                          message_text(*mail, id, run.job.created_at)};
    const auto report = client_.send(letter, run.stop, left);
    report_server(run, report);
    return outcome_of(report, recipients, id, given_.on_unknown, run.stop_reason());
}

outcome outcome_of(const smtp_report& report, const std::vector<std::string>& recipients,
                   const std::string& message_id, unknown_policy on_unknown,
                   libqueue::stop_reason reason) {
    const auto& transcript = report.transcript;
    if (const auto& verdict = transcript.verdict()) {
        // The server has spoken; what became of the connection afterwards does not matter.
        return verdict->accepted() ? completed(output_of(transcript, recipients, message_id))
                                   : refused("the message was refused", *verdict);
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

}  // namespace libqueue::processors::email
