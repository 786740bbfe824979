#include "processors/payment/stripe_answer.hpp"

#include "processors/payment/currency.hpp"

#include <boost/json.hpp>

namespace libqueue::processors::payment {

namespace {

namespace json = boost::json;

json::value parsed(std::string_view text) {
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    return failed ? json::value{} : value;
}

const json::value* member(const json::value& value, std::string_view name) {
    const auto* const object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text(const json::value* value) {
    const auto* const string = value == nullptr ? nullptr : value->if_string();
    return string == nullptr ? std::string{} : std::string{string->data(), string->size()};
}

std::string text(const json::value& value, std::string_view name) {
    return text(member(value, name));
}

std::int64_t number(const json::value& value, std::string_view name) {
    const auto* const found = member(value, name);
    const auto* const integer = found == nullptr ? nullptr : found->if_int64();
    return integer == nullptr ? 0 : *integer;
}

const json::value& inner(const json::value& value, std::string_view name) {
    static const json::value nothing;
    const auto* const found = member(value, name);
    return found == nullptr ? nothing : *found;
}

/// What to show of an error: codes, never the message, in which amounts and names stand.
void describe(reply& into, const json::value& error) {
    const auto decline = text(error, "decline_code");
    const auto code = text(error, "code");
    into.code = !decline.empty() ? decline : !code.empty() ? code : text(error, "type");
    for (const auto name : {"type", "code", "decline_code", "param"}) {
        if (const auto value = text(error, name); !value.empty()) {
            into.why += std::string{", "} + name + " " + value;
        }
    }
}

std::optional<payment_state> state_of(const json::value& intent) {
    const auto status = text(intent, "status");
    if (status == "requires_payment_method") {
        return inner(intent, "last_payment_error").is_object() ? payment_state::failed
                                                               : payment_state::open;
    }
    if (status == "requires_confirmation") {
        return payment_state::open;
    }
    if (status == "requires_action") {
        return payment_state::action_required;
    }
    if (status == "requires_capture") {
        return payment_state::authorized;
    }
    if (status == "canceled") {
        return payment_state::cancelled;
    }
    if (status == "processing" || status == "succeeded") {
        return parse_payment_state(status);
    }
    return std::nullopt;
}

reply intent_of(const json::value& intent) {
    reply made;
    const auto state = state_of(intent);
    made.provider_id = text(intent, "id");
    if (!state || made.provider_id.empty()) {
        made.why = "Stripe: expected a payment intent, got something else";
        return made;
    }
    made.what = verdict::done;
    made.state = *state;
    made.currency = to_upper(text(intent, "currency"));
    made.amount = amount_from_stripe(number(intent, "amount"), made.currency);
    made.captured = amount_from_stripe(number(intent, "amount_received"), made.currency);
    made.refunded = amount_from_stripe(number(inner(intent, "latest_charge"), "amount_refunded"),
                                       made.currency);
    made.next_action_url = text(inner(inner(intent, "next_action"), "redirect_to_url"), "url");
    made.order_id = text(inner(intent, "metadata"), "order_id");
    made.tenant_id = text(inner(intent, "metadata"), "libqueue_tenant");
    if (made.state == payment_state::failed) {
        describe(made, inner(intent, "last_payment_error"));
        made.why = "Stripe declined" + made.why;
    }
    return made;
}

}  // namespace

reply stripe_judgement(const http_response& response) {
    auto made = first_judgement(response, "Stripe");
    if (response.end != http_end::answered || made.what == verdict::done) {
        return made;
    }
    const auto body = parsed(response.body);
    const auto& error = inner(body, "error");
    describe(made, error);
    if (const auto id = response.header("request-id"); !id.empty()) {
        made.why += ", request " + std::string{id.substr(0, 64)};
    }
    if (const auto& intent = inner(error, "payment_intent"); intent.is_object()) {
        made.provider_id = text(intent, "id");
        made.state = state_of(intent).value_or(payment_state::failed);
    }
    if (made.code == "lock_timeout") {
        made.what = verdict::throttled;  // also as 400 or 409: the object is in use elsewhere
    }
    if (made.code == "charge_already_refunded") {
        made.what = verdict::done;
    }
    made.about_key = text(error, "type") == "idempotency_error" || response.status == 409 ||
                     response.status == 429;
    const auto again = response.header("stripe-should-retry");
    if (again == "true" && (made.what == verdict::refused || made.what == verdict::saved_doubt)) {
        made.what = verdict::doubt;
    } else if (again == "false" && made.what == verdict::doubt) {
        made.what = response.status >= 500 ? verdict::saved_doubt : verdict::refused;
    } else if (again == "false" && made.what == verdict::throttled) {
        made.what = verdict::refused;
    }
    return made;
}

reply intent_in(std::string_view text_) {
    return intent_of(parsed(text_));
}

reply refund_in(std::string_view text_) {
    const auto value = parsed(text_);
    reply made;
    made.refund_id = text(value, "id");
    const auto status = text(value, "status");
    if (made.refund_id.empty() || status.empty()) {
        made.why = "Stripe: expected a refund, got something else";
        return made;
    }
    const bool failed = status == "failed" || status == "canceled";
    made.what = failed ? verdict::refused : verdict::done;
    made.provider_id = text(value, "payment_intent");
    made.code = failed ? text(value, "failure_reason") : "";
    made.why = failed ? "Stripe: the refund " + status : "";
    return made;
}

page page_in(std::string_view text_, std::string_view mark) {
    page made;
    const auto value = parsed(text_);
    const auto* const list = inner(value, "data").if_array();
    if (list == nullptr) {
        return made;
    }
    made.readable = true;
    const auto* const more = inner(value, "has_more").if_bool();
    made.has_more = more != nullptr && *more;
    for (const auto& one : *list) {
        made.last_id = text(one, "id");
        if (made.found.empty() && text(inner(one, "metadata"), "libqueue_job") == mark) {
            made.found = json::serialize(one);
        }
    }
    return made;
}

}  // namespace libqueue::processors::payment
