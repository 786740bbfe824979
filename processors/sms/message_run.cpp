#include "processors/sms/message_run.hpp"

#include "processors/sms/delivery.hpp"
#include "processors/sms/payload.hpp"
#include "processors/support/contacts/admission.hpp"
#include "processors/support/http_client.hpp"
#include "processors/support/payload.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace libqueue::processors::sms {

namespace {

constexpr std::string_view channel = "sms";

outcome not_admitted(const contacts::admission& answer) {
    if (answer.wait) {
        return snooze(*answer.wait, answer.wait_reason == "quiet"
                                        ? "the recipient's quiet hours"
                                        : "as many messages as a recipient gets within an hour");
    }
    return completed(R"({"skipped":)" + json_string(answer.refused.at(0).second) + "}");
}

contacts::admission_request admission_of(const options& with, const sms_payload& payload,
                                         const libqueue::job& job) {
    std::vector<std::string> addresses;
    addresses.push_back(payload.to);
    contacts::admission_request request{job.id, std::string{channel}, std::move(addresses)};
    request.tenant_id = job.tenant_id;
    request.category = payload.category;
    request.hourly = with.hourly_per_recipient;
    return request;
}

/// The end of the run, with what the stores must know.
outcome concluded(const options& with, sms_report report, const sms_payload& payload,
                  const libqueue::job& job) {
    auto end = std::move(report.said);
    if (!with.stores) {
        return end;
    }
    if (!report.suppress.empty()) {
        end = std::move(end).also(
            contacts::suppress(job.tenant_id, channel, payload.to, report.suppress, report.detail));
    }
    if (end.kind() == outcome::type::discard && report.fate == sms_fate::not_taken) {
        end = std::move(end).also(contacts::release(job.id));
    }
    return end;
}

boost::asio::awaitable<http_response> ask(const options& with, const http_request& request,
                                          const run_view& run) {
    const auto deadline = std::min(run.deadline, std::chrono::steady_clock::now() + with.timeout);
    auto response = co_await perform_for(run, request, deadline);
    report(run, response, std::chrono::seconds{1}, true);
    co_return response;
}

std::int64_t milliseconds_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// When an earlier reconcile run looked first and found nothing.
std::optional<std::int64_t> first_look(const std::optional<std::string>& checkpoint) {
    boost::json::error_code failed;
    const auto state = boost::json::parse(checkpoint.value_or("null"), failed);
    const auto* at =
        failed || !state.is_object() ? nullptr : state.get_object().if_contains("looked_at");
    return at != nullptr && at->is_int64() ? std::optional{at->get_int64()} : std::nullopt;
}

}  // namespace

boost::asio::awaitable<outcome> send_message(std::shared_ptr<const options> with,
                                             job_context& context) {
    run_view run{context};
    run.executor = context.executor();
    const auto payload = sms_payload::parse(run.job.payload, *with);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    if (with->stores) {
        const auto request = admission_of(*with, *payload, run.job);
        auto question = request.question();
        const auto answer = co_await context.query(std::move(question));
        if (!answer) {
            co_return discard(answer.error().message);
        }
        const contacts::admission admitted{*answer};
        if (admitted.allowed.empty()) {
            co_return not_admitted(admitted);
        }
    }
    auto begun = co_await context.begin_effect("send");
    if (!begun) {
        co_return retry("the message cannot be begun: " + begun.error().message);
    }
    if (begun->state() == effect_state::committed) {
        co_return completed(begun->output().value_or("{}"));
    }
    if (begun->state() == effect_state::unknown) {
        co_return unknown("an earlier run may have sent the message");
    }
    const auto text = sent_text(*with, *payload, run);
    const auto request = send_request(*with, *payload, text);
    const auto response = co_await ask(*with, request, run);
    auto report =
        report_of(response, *payload, run.stop_reason(), std::chrono::system_clock::now());
    const auto fate = report.fate;
    auto end = concluded(*with, std::move(report), *payload, run.job);
    if (fate == sms_fate::taken) {
        auto output = end.output();
        // What cannot be told leaves the effect open, which is the safe side.
        const auto told = co_await begun->commit(std::move(output));
        if (!told) {
            context.log(log_level::warning, "the ledger was not told: " + told.error().message);
        }
    } else if (fate == sms_fate::not_taken) {
        const auto told = co_await begun->abandon();
        if (!told) {
            context.log(log_level::warning, "the ledger was not told: " + told.error().message);
        }
    }
    co_return end;
}

boost::asio::awaitable<outcome> find_message(std::shared_ptr<const options> with,
                                             job_context& context) {
    run_view run{context};
    run.executor = context.executor();
    const auto payload = sms_payload::parse(run.job.payload, *with);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    auto begun = co_await context.begin_effect("send");
    if (!begun) {
        co_return retry("the ledger cannot be asked: " + begun.error().message);
    }
    if (begun->state() == effect_state::committed) {
        co_return completed(begun->output().value_or("{}"));
    }
    const auto text = sent_text(*with, *payload, run);
    const auto request = list_request(*with, *payload, run);
    const auto response = co_await ask(*with, request, run);
    const auto found = find_in_list(response, *payload, text);
    if (!found) {
        co_return retry("the provider cannot be asked: " + found.error().message);
    }
    if (*found) {
        auto output = **found;
        const auto told = co_await begun->resolve(true, std::move(output));
        if (!told) {
            co_return retry("the ledger was not told: " + told.error().message);
        }
        co_return completed(**found);
    }
    const auto checkpoint = co_await context.last_checkpoint();
    const auto looked = first_look(checkpoint);
    const auto now = milliseconds_now();
    if (!looked) {
        auto state = R"({"looked_at":)" + std::to_string(now) + "}";
        const auto kept = co_await context.checkpoint(std::move(state));
        static_cast<void>(kept);
    }
    if (now - looked.value_or(now) < with->settle.count()) {
        // Not among them yet; the effect stays open, so the next run looks again.
        co_return snooze(with->settle, "the provider's list may be behind");
    }
    const auto told = co_await begun->resolve(false);
    if (!told) {
        co_return retry("the ledger was not told: " + told.error().message);
    }
    co_return retry("it was not sent, as the provider's list shows");
}

}  // namespace libqueue::processors::sms
