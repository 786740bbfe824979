#include "processors/payment/internal_service.hpp"

#include "processors/payment/currency.hpp"
#include "processors/support/form_body.hpp"
#include "processors/support/http_client.hpp"
#include "processors/support/internal_auth.hpp"
#include "processors/support/redaction.hpp"

#include <boost/json.hpp>

#include <stdexcept>

namespace libqueue::processors::payment {

namespace {

namespace json = boost::json;

std::string text(const json::object& from, std::string_view name) {
    const auto* const found = from.if_contains(name);
    const auto* const string = found == nullptr ? nullptr : found->if_string();
    return string == nullptr ? std::string{} : std::string{string->data(), string->size()};
}

std::int64_t number(const json::object& from, std::string_view name) {
    const auto* const found = from.if_contains(name);
    const auto* const integer = found == nullptr ? nullptr : found->if_int64();
    return integer == nullptr ? 0 : *integer;
}

std::optional<payment_state> state_of(std::string_view status) {
    return parse_payment_state(status == "requires_action" ? "action_required" : status);
}

reply refund_of(const json::object& payment, const operation& what) {
    reply made{verdict::absent, "the payment service has no refund of this job"};
    const auto* const list = payment.if_contains("refunds");
    if (list == nullptr || !list->is_array()) {
        return made;
    }
    for (const auto& one : list->get_array()) {
        const auto* const refund = one.if_object();
        if (refund == nullptr || text(*refund, "reference") != what.mark) {
            continue;
        }
        const bool failed = text(*refund, "status") == "failed";
        made.what = failed ? verdict::refused : verdict::done;
        made.why = failed ? "the payment service: the refund failed" : "";
        made.code = failed ? "refund_failed" : "";
        made.refund_id = text(*refund, "refund_id");
        made.provider_id = what.provider_id;
    }
    return made;
}

std::string body_of(const operation& what) {
    json::object body;
    const auto add = [&body](std::string_view name, const std::string& value) {
        if (!value.empty()) {
            body[name] = value;
        }
    };
    switch (what.what) {
        case action::create:
            body["amount"] = what.amount;
            body["capture"] = what.capture;
            body["off_session"] = what.off_session;
            add("reference", what.mark);
            add("tenant_id", what.tenant_id);
            add("order_id", what.order_id);
            add("currency", what.currency);
            add("payment_method", what.payment_method);
            add("customer", what.customer);
            add("return_url", what.return_url);
            add("description", what.description);
            for (const auto& [name, value] : what.metadata) {
                auto& metadata = body["metadata"];
                if (!metadata.is_object()) {
                    metadata = json::object{};
                }
                metadata.get_object()[name] = value;
            }
            break;
        case action::confirm:
            add("payment_method", what.payment_method);
            add("return_url", what.return_url);
            break;
        case action::capture:
            if (what.amount > 0) {
                body["amount"] = what.amount;
            }
            break;
        case action::cancel:
            break;
        case action::refund:
            body["amount"] = what.amount;
            add("reference", what.mark);
            add("reason", what.reason);
            break;
    }
    return json::serialize(body);
}

std::string_view verb_of(action what) noexcept {
    switch (what) {
        case action::confirm:
            return "/confirm";
        case action::capture:
            return "/capture";
        case action::cancel:
            return "/cancel";
        case action::create:
        case action::refund:
            break;
    }
    return "/refunds";
}

std::string target_of(const operation& what) {
    std::string target{"/api/v1/payments/"};
    if (what.what == action::create) {
        target += "process";
        return target;
    }
    target += percent_encoded(what.provider_id);
    target += verb_of(what.what);
    return target;
}

class internal_service final : public provider {
   public:
    explicit internal_service(const options& given)
        : given_{given}, signer_{given.service, given.key} {
        if (given.base_url.empty()) {
            throw std::invalid_argument{
                "payment: expected the base URL of the payment service, got none"};
        }
        policy_.repeatable = true;
        policy_.timeout = given.timeout;
        policy_.own_credentials = true;
        policy_.tell_deadline = true;
        // The signature covers the time and a nonce, so each request is made anew: see `once`.
        policy_.tries = 1;
    }

    [[nodiscard]] std::string_view name() const noexcept override { return "internal"; }
    [[nodiscard]] std::optional<std::string> objection(std::int64_t,
                                                       std::string_view) const override {
        return std::nullopt;
    }

    boost::asio::awaitable<reply> act(const run_view& run, const operation& what,
                                      const std::string& key) const override {
        http_request request{given_.base_url + target_of(what), body_of(what)};
        request.set("content-type", "application/json");
        request.set("idempotency-key", key);
        const auto response = co_await once(run, request);
        auto made = read_answer(response, what);
        co_return made;
    }

    boost::asio::awaitable<reply> look(const run_view& run, const operation& what,
                                       const std::string&) const override {
        const std::string id = what.what == action::create ? what.mark : what.provider_id;
        const auto response = co_await status_of(run, id);
        auto made = read_answer(response, what);
        if (response.end == http_end::answered && response.status == 404) {
            made.what = verdict::absent;
        }
        if (what.what == action::refund) {
            co_return made;
        }
        co_return judged(what, std::move(made));
    }

    boost::asio::awaitable<reply> fetch(const run_view& run,
                                        const std::string& provider_id) const override {
        const operation asked{action::create};
        const auto response = co_await status_of(run, provider_id);
        auto made = read_answer(response, asked);
        if (response.end == http_end::answered && response.status == 404) {
            made.what = verdict::absent;
        }
        co_return made;
    }

   private:
    boost::asio::awaitable<http_response> status_of(const run_view& run,
                                                    const std::string& id) const {
        http_request request{
            "GET", given_.base_url + "/api/v1/payments/" + percent_encoded(id) + "/status", ""};
        auto response = co_await once(run, request);
        co_return response;
    }

    boost::asio::awaitable<http_response> once(const run_view& run, http_request& request) const {
        request.ca_file = given_.ca_file;
        request.allow_http = given_.allow_http;
        request.addresses = address_policy::any;
        const auto path = request.url.find('/', request.url.find("://") + 3);
        signer_.sign(request, std::string_view{request.url}.substr(path));
        auto response = co_await call(run, request, policy_);
        if (response.end == http_end::answered && response.status >= 300) {
            run.log(log_level::warning, "the payment service answered " +
                                            std::to_string(response.status) + ": " +
                                            redacted_json(response.body));
        }
        co_return response;
    }

    static reply read_answer(const http_response& response, const operation& what) {
        auto made = first_judgement(response, "the payment service");
        if (made.what == verdict::done) {
            return internal_payment_in(response.body, what);
        }
        boost::system::error_code failed;
        const auto body = json::parse(response.body, failed);
        if (const auto* const object = body.if_object(); !failed && object != nullptr) {
            made.code = text(*object, "failure_code");
            made.provider_id = text(*object, "payment_id");
        }
        if (!made.code.empty()) {
            made.why += ", code " + redacted(made.code);
        }
        return made;
    }

    options given_;
    internal_signer signer_;
    call_policy policy_;
};

}  // namespace

reply internal_payment_in(std::string_view text_, const operation& what) {
    boost::system::error_code failed;
    const auto value = json::parse(text_, failed);
    const auto* const payment = value.if_object();
    reply made;
    made.why = "the payment service: expected a payment, got something else";
    if (failed || payment == nullptr) {
        return made;
    }
    const auto state = state_of(text(*payment, "status"));
    made.provider_id = text(*payment, "payment_id");
    if (!state || made.provider_id.empty()) {
        return made;
    }
    if (what.what == action::refund) {
        return refund_of(*payment, what);
    }
    made.what = *state == payment_state::failed && what.what != action::refund ? verdict::refused
                                                                               : verdict::done;
    made.state = *state;
    made.why = *state == payment_state::failed ? "the payment service declined" : "";
    made.code = text(*payment, "failure_code");
    made.amount = number(*payment, "amount");
    made.captured = number(*payment, "captured");
    made.refunded = number(*payment, "refunded");
    made.currency = to_upper(text(*payment, "currency"));
    made.next_action_url = text(*payment, "next_action_url");
    made.order_id = text(*payment, "order_id");
    made.tenant_id = text(*payment, "tenant_id");
    return made;
}

std::unique_ptr<provider> make_internal_service(const options& given) {
    return std::make_unique<internal_service>(given);
}

}  // namespace libqueue::processors::payment
