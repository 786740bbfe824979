#include "processors/email/mail_run.hpp"

#include "processors/email/message.hpp"
#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

#include <sql/mail_material.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace libqueue::processors::email {

namespace {

namespace json = boost::json;

constexpr std::string_view channel = "email";

bool contains(const std::vector<std::size_t>& all, std::size_t one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

std::string link_of(std::string url, const std::string& token) {
    constexpr std::string_view mark = "{token}";
    const auto at = url.find(mark);
    return at == std::string::npos ? url : url.replace(at, mark.size(), token);
}

/// What the stores answered to a question is no fault of theirs: it is the job that does not fit.
outcome refused_question(const error& why) {
    return discard(with_addresses_masked(why.message));
}

}  // namespace

outcome mail_run::run() {
    const auto& given = with_.given();
    auto parsed = mail_payload::parse(context_.payload(), given.from);
    if (!parsed) {
        return discard(parsed.error().message);
    }
    mail_ = std::move(*parsed);
    recipients_ = mail_.recipients();
    allowed_.resize(recipients_.size());
    std::iota(allowed_.begin(), allowed_.end(), std::size_t{0});
    if (given.stores) {
        if (auto end = ask_templates()) {
            return std::move(*end);
        }
        if (auto end = ask_admission()) {
            return std::move(*end);
        }
    }
    if (auto end = make_content()) {
        // It was counted against the recipients' limits, and will not be sent.
        return given.stores ? std::move(*end).also(contacts::release(context_.job().id))
                            : std::move(*end);
    }
    return given.on_unknown == unknown_policy::park ? hand_over_once() : hand_over();
}

std::optional<outcome> mail_run::ask_templates() {
    const auto& wanted = mail_.from_template;
    const auto& tenant = context_.job().tenant_id;
    if (!wanted && !tenant) {
        return std::nullopt;
    }
    std::vector<std::optional<std::string>> parameters{tenant, std::nullopt, std::nullopt,
                                                       std::nullopt};
    if (wanted) {
        parameters[1] = wanted->name;
        parameters[2] = wanted->locale;
        if (wanted->version) {
            parameters[3] = std::to_string(*wanted->version);
        }
    }
    const auto answer =
        context_.query_blocking(statement{std::string{sql::mail_material}, std::move(parameters)});
    if (!answer) {
        return refused_question(answer.error());
    }
    const auto& row = *answer;
    if (const auto& name = row.value(0, 0); name && mail_.from_is_default) {
        mail_.from->name = *name;
    }
    if (const auto& reply_to = row.value(0, 1); reply_to && !mail_.reply_to) {
        mail_.reply_to = mailbox::parse(*reply_to);
    }
    if (!wanted) {
        return std::nullopt;
    }
    if (!row.value(0, 3)) {
        return discard("payload.template: there is no active template " + wanted->name + " for " +
                       wanted->locale + " or default (with a version: none of that number)");
    }
    template_.locale = row.text(0, 2);
    mail_.category = mail_.category.empty() ? row.text(0, 4) : mail_.category;
    template_.subject = row.text(0, 5);
    template_.html = row.value(0, 6);
    template_.plain = row.value(0, 7);
    return std::nullopt;
}

std::optional<outcome> mail_run::ask_admission() {
    if (mail_.category.empty()) {
        mail_.category = "transactional";
    }
    contacts::admission_request request{context_.job().id, std::string{channel}, recipients_};
    request.tenant_id = context_.job().tenant_id;
    request.category = mail_.category;
    request.hourly = with_.given().hourly_per_recipient;
    const auto answer = context_.query_blocking(request.question());
    if (!answer) {
        return refused_question(answer.error());
    }
    admission_ = contacts::admission{*answer};
    if (admission_.wait) {
        return snooze(*admission_.wait, admission_.wait_reason == "quiet"
                                            ? "a recipient's quiet hours"
                                            : "as many mails as a recipient gets within an hour");
    }
    allowed_ = admission_.allowed;
    if (allowed_.empty()) {
        return completed(R"({"skipped":)" + json_string(admission_.refused.at(0).second) + "}");
    }
    return std::nullopt;
}

std::optional<outcome> mail_run::make_content() {
    const auto& link = with_.given().unsubscribe_url;
    const bool leavable = mail_.category != "critical" && mail_.category != "transactional";
    if (!link.empty() && leavable && recipients_.size() == 1 && !admission_.tokens.empty()) {
        const bool own = std::any_of(
            mail_.headers.begin(), mail_.headers.end(),
            [](const auto& header) { return to_lower(header.first) == "list-unsubscribe"; });
        mail_.unsubscribe_url = own ? "" : link_of(link, admission_.tokens.front());
    }
    if (!mail_.from_template) {
        return std::nullopt;
    }
    if (!with_.given().stores) {
        return discard("payload.template: there is no template store here");
    }
    auto made = fill_in(template_, *mail_.from_template, mail_.unsubscribe_url);
    if (!made) {
        return discard(made.error().message);
    }
    mail_.subject = std::move(made->subject);
    mail_.html = std::move(made->html);
    mail_.text = std::move(made->text);
    if (const auto fits = mail_.check_content(); !fits) {
        return discard("filled in, " + fits.error().message);
    }
    return std::nullopt;
}

outcome mail_run::hand_over() {
    read_checkpoint();
    std::vector<std::size_t> open;
    std::copy_if(allowed_.begin(), allowed_.end(), std::back_inserter(open),
                 [this](std::size_t at) { return !contains(served_, at); });
    if (open.empty()) {
        return completed(summary_of(delivery_report{completed()}, open).json());
    }
    auto report = with_.deliver(view_, mail_, addresses(open));
    if (keep_for_next_attempt(report, open)) {
        return retry("some recipients were put off: " + report.refused.front().second.for_people());
    }
    return concluded(std::move(report), open);
}

outcome mail_run::hand_over_once() {
    auto effect = context_.begin_effect_blocking("send");
    if (!effect) {
        return retry("the mail cannot be begun: " + effect.error().message);
    }
    if (effect->state() == effect_state::committed) {
        return completed(effect->output().value_or("{}"));
    }
    if (effect->state() == effect_state::unknown) {
        return unknown("an earlier run may have sent the mail");
    }
    auto report = with_.deliver(view_, mail_, addresses(allowed_));
    if (report.fate == mail_fate::doubtful) {
        return std::move(report.said);  // left open: recorded as unknown, for a person to resolve
    }
    const auto fate = report.fate;
    auto end = concluded(std::move(report), allowed_);
    // That the ledger cannot be told leaves the effect open, which is the safe side.
    const auto told = fate == mail_fate::taken ? effect->commit_blocking(end.output())
                                               : effect->abandon_blocking();
    if (!told) {
        context_.log(log_level::warning, "the ledger was not told: " + told.error().message);
    }
    return end;
}

bool mail_run::keep_for_next_attempt(const delivery_report& report,
                                     const std::vector<std::size_t>& tried) {
    const bool put_off = std::any_of(report.refused.begin(), report.refused.end(),
                                     [](const auto& one) { return !one.second.permanent(); });
    if (report.fate != mail_fate::taken || !put_off ||
        context_.job().attempt >= context_.job().max_attempts) {
        return false;
    }
    json::array places;
    for (const auto at : served_) {
        places.push_back(at);
    }
    for (const auto at : report.accepted) {
        places.push_back(tried.at(at));
    }
    json::object state;
    state["served"] = std::move(places);
    // Not kept means that the next attempt would write to everybody: rather be content.
    return context_.checkpoint_blocking(json::serialize(state)).has_value();
}

void mail_run::read_checkpoint() {
    // Nothing is kept before the first attempt has ended; most jobs have but one.
    const auto text =
        context_.job().attempt > 1 ? context_.last_checkpoint_blocking() : std::nullopt;
    if (!text) {
        return;
    }
    json::error_code failed;
    const auto state = json::parse(*text, failed);
    const auto* places =
        failed || !state.is_object() ? nullptr : state.get_object().if_contains("served");
    if (places == nullptr || !places->is_array()) {
        return;
    }
    for (const auto& place : places->get_array()) {
        if (place.is_int64() && place.get_int64() >= 0) {
            served_.push_back(static_cast<std::size_t>(place.get_int64()));
        }
    }
}

outcome mail_run::concluded(delivery_report report, const std::vector<std::size_t>& tried) {
    const bool last = context_.job().attempt >= context_.job().max_attempts;
    const bool over = report.said.kind() == outcome::type::discard ||
                      (report.said.kind() == outcome::type::retry && last);
    // Some have it from an earlier attempt: the job did not fail, it has refusals to tell of.
    const bool partly = !served_.empty() && over;
    auto end = report.fate == mail_fate::taken || partly
                   ? completed(summary_of(report, tried).json())
                   : report.said;
    if (!with_.given().stores) {
        return end;
    }
    for (const auto& [at, reply] : report.refused) {
        if (reply.is_hard_bounce()) {
            end = std::move(end).also(contacts::suppress(
                context_.job().tenant_id, channel, recipients_.at(tried.at(at)), "bounce",
                std::to_string(reply.code) + " " + reply.enhanced_status()));
        }
    }
    if (end.kind() == outcome::type::discard) {
        end = std::move(end).also(contacts::release(context_.job().id));
    }
    return end;
}

mail_summary mail_run::summary_of(const delivery_report& report,
                                  const std::vector<std::size_t>& tried) const {
    mail_summary summary{message_id(mail_, view_)};
    summary.accepted = addresses(served_);
    for (const auto at : report.accepted) {
        summary.accepted.push_back(recipients_.at(tried.at(at)));
    }
    for (const auto& [at, reply] : report.refused) {
        summary.refused.emplace_back(recipients_.at(tried.at(at)), reply);
    }
    for (const auto& [at, why] : admission_.refused) {
        summary.not_sent.emplace_back(recipients_.at(at), why);
    }
    summary.reply = report.reply;
    return summary;
}

std::vector<std::string> mail_run::addresses(const std::vector<std::size_t>& places) const {
    std::vector<std::string> all;
    for (const auto at : places) {
        if (at < recipients_.size()) {
            all.push_back(recipients_[at]);
        }
    }
    return all;
}

}  // namespace libqueue::processors::email
