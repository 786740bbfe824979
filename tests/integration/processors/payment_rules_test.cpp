#include "processors/payment/currency.hpp"
#include "processors/payment/internal_service.hpp"
#include "processors/payment/payload.hpp"
#include "processors/payment/stripe_answer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace libqueue::processors;
using namespace libqueue::processors::payment;

constexpr std::int64_t most = 99'999'999;

std::string fault_of(const std::string& json) {
    const auto read = process_payload::parse(json, most);
    return read ? "" : read.error().message;
}

bool takes(const std::string& json, refund_mode mode) {
    return refund_payload::parse(json, mode, most).has_value();
}

http_response answer(long status, const std::string& body = {},
                     const std::string& should_retry = {}) {
    http_response made;
    made.end = http_end::answered;
    made.status = status;
    made.body = body;
    if (!should_retry.empty()) {
        made.headers.emplace_back("stripe-should-retry", should_retry);
    }
    return made;
}

std::string error_body(const std::string& type, const std::string& code = {}) {
    return R"({"error":{"type":")" + type + "\"" +
           (code.empty() ? "" : R"(,"code":")" + code + "\"") +
           R"(,"decline_code":"do_not_honor","message":"$12.34 of jane@example.com"}})";
}

class row {
   public:
    long status;
    std::string type;
    std::string code;
    std::string should_retry;
    verdict expected;
};

}  // namespace

TEST_SUITE("payment: rules") {
    TEST_CASE("currencies have the digits of ISO 4217, and others are none") {
        CHECK_EQ(minor_digits("EUR"), 2);
        CHECK_EQ(minor_digits("JPY"), 0);
        CHECK_EQ(minor_digits("KWD"), 3);
        CHECK_EQ(minor_digits("CLF"), 4);
        for (const auto* code : {"XAU", "XTS", "eur", "EU", "DEM", ""}) {
            CAPTURE(code);
            CHECK_FALSE(minor_digits(code));
        }
    }

    TEST_CASE("amounts become Stripe's units and come back the same") {
        CHECK_EQ(stripe_amount(1250, "EUR"), 1250);
        CHECK_EQ(stripe_amount(500, "JPY"), 500);
        CHECK_EQ(stripe_amount(500, "ISK"), 50'000);
        CHECK_EQ(stripe_amount(500, "UGX"), 50'000);
        CHECK_EQ(stripe_amount(500, "MGA"), 5);
        CHECK_FALSE(stripe_amount(501, "MGA"));
        CHECK_EQ(stripe_amount(5'120, "KWD"), 5'120);
        CHECK_FALSE(stripe_amount(5'124, "KWD"));
        for (const auto* code : {"EUR", "JPY", "ISK", "UGX", "MGA", "KWD"}) {
            CHECK_EQ(amount_from_stripe(stripe_amount(1'000, code).value(), code), 1'000);
        }
    }

    TEST_CASE(
        "a payload that does not fit says everything that is wrong with it, without content") {
        CHECK_EQ(fault_of(R"({"order_id":"o","amount":1,"currency":"eur","payment_method":"pm"})"),
                 "");
        const auto all = fault_of("{}");
        for (const auto* field : {"order_id", "amount", "currency", "payment_method"}) {
            CAPTURE(all);
            CHECK(all.find(std::string{"payload."} + field) != std::string::npos);
        }
        for (const auto* amount : {"0", "-1", "1.5", "100000000", "\"5\"", "1e3"}) {
            CAPTURE(amount);
            CHECK(fault_of(R"({"order_id":"o","currency":"eur","payment_method":"pm","amount":)" +
                           std::string{amount} + "}")
                      .starts_with("payload.amount"));
        }
        const auto odd =
            fault_of(R"({"order_id":"o o","amount":1,"currency":"zzz","payment_method":"pm"})");
        CHECK(odd.find("payload.order_id") != std::string::npos);
        CHECK(odd.find("payload.currency: expected a code of ISO 4217") != std::string::npos);
        CHECK(odd.find("zzz") == std::string::npos);
    }

    TEST_CASE("refunds know whether they are whole or partial") {
        const std::string whole = R"({"order_id":"o"})";
        const std::string part = R"({"order_id":"o","amount":5})";
        CHECK(takes(whole, refund_mode::whole));
        CHECK_FALSE(takes(part, refund_mode::whole));
        CHECK(takes(part, refund_mode::partial));
        CHECK_FALSE(takes(whole, refund_mode::partial));
        CHECK(takes(whole, refund_mode::either));
        CHECK(takes(part, refund_mode::either));
        CHECK_FALSE(takes("{}", refund_mode::either));
        CHECK_FALSE(takes(R"({"order_id":"o","reason":"because"})", refund_mode::either));
    }

    TEST_CASE("every answer of Stripe has its verdict") {
        const std::vector<row> table{
            {200, "", "", "", verdict::done},
            {400, "invalid_request_error", "parameter_missing", "", verdict::refused},
            {400, "idempotency_error", "", "", verdict::refused},
            {400, "invalid_request_error", "charge_already_refunded", "", verdict::done},
            {400, "invalid_request_error", "lock_timeout", "", verdict::throttled},
            {401, "invalid_request_error", "", "", verdict::shut},
            {401, "invalid_request_error", "", "false", verdict::shut},
            {402, "card_error", "card_declined", "", verdict::refused},
            {402, "card_error", "card_declined", "true", verdict::doubt},
            {403, "invalid_request_error", "", "", verdict::shut},
            {404, "invalid_request_error", "resource_missing", "", verdict::refused},
            {409, "idempotency_error", "idempotency_key_in_use", "", verdict::doubt},
            {409, "idempotency_error", "idempotency_key_in_use", "false", verdict::refused},
            {429, "invalid_request_error", "rate_limit", "", verdict::throttled},
            {429, "invalid_request_error", "lock_timeout", "", verdict::throttled},
            {429, "invalid_request_error", "rate_limit", "false", verdict::refused},
            {500, "api_error", "", "", verdict::saved_doubt},
            {500, "api_error", "", "true", verdict::doubt},
            {500, "api_error", "", "false", verdict::saved_doubt},
            {502, "api_error", "", "", verdict::doubt},
            {503, "api_error", "", "", verdict::doubt},
            {503, "api_error", "", "false", verdict::saved_doubt},
            {504, "api_error", "", "", verdict::doubt},
            {302, "", "", "", verdict::shut},
        };
        for (const auto& one : table) {
            CAPTURE(one.status);
            CAPTURE(one.code);
            CAPTURE(one.should_retry);
            auto body = error_body(one.type, one.code);
            if (one.code != "card_declined") {
                const auto at = body.find(R"(,"decline_code":"do_not_honor")");
                body.erase(at, std::string{R"(,"decline_code":"do_not_honor")"}.size());
            }
            const auto said = stripe_judgement(answer(one.status, body, one.should_retry));
            CHECK(said.what == one.expected);
            CHECK(said.why.find("12.34") == std::string::npos);
            CHECK(said.why.find("jane") == std::string::npos);
        }
    }

    TEST_CASE("without an answer it depends on whether the request went out") {
        http_response none;
        none.end = http_end::failed;
        none.sent = true;
        CHECK(stripe_judgement(none).what == verdict::doubt);
        none.sent = false;
        CHECK(stripe_judgement(none).what == verdict::unsent);
        none.end = http_end::timed_out;
        none.sent = true;
        CHECK(stripe_judgement(none).what == verdict::doubt);
    }

    TEST_CASE("a declined card says why by its code") {
        const auto said = stripe_judgement(answer(402, error_body("card_error", "card_declined")));
        CHECK_EQ(said.code, "do_not_honor");
        CHECK_EQ(said.why,
                 "Stripe answered 402, type card_error, code card_declined, decline_code "
                 "do_not_honor");
    }

    TEST_CASE("the states of a payment intent are told apart") {
        const std::vector<std::pair<std::string, payment_state>> states{
            {"requires_payment_method", payment_state::open},
            {"requires_confirmation", payment_state::open},
            {"requires_action", payment_state::action_required},
            {"processing", payment_state::processing},
            {"requires_capture", payment_state::authorized},
            {"succeeded", payment_state::succeeded},
            {"canceled", payment_state::cancelled}};
        for (const auto& [status, state] : states) {
            CAPTURE(status);
            const auto said = intent_in(R"({"id":"pi_1","status":")" + status + "\"}");
            CHECK(said.what == verdict::done);
            CHECK(said.state == state);
        }
        const auto declined = intent_in(
            R"({"id":"p","status":"requires_payment_method","last_payment_error":{"code":"x"}})");
        CHECK(declined.state == payment_state::failed);
        CHECK_EQ(declined.code, "x");
        CHECK(intent_in("{}").what == verdict::doubt);
        CHECK(intent_in(R"({"id":"pi_1","status":"strange"})").what == verdict::doubt);
        CHECK(refund_in(R"({"id":"re_1","status":"pending"})").what == verdict::done);
        CHECK(refund_in(R"({"id":"re_1","status":"failed"})").what == verdict::refused);
    }

    TEST_CASE("a page of a list is searched for what has our mark") {
        const auto read = page_in(
            R"({"data":[{"id":"a","metadata":{}},{"id":"b","metadata":{"libqueue_job":"7-x"}}],
                "has_more":true})",
            "7-x");
        CHECK(read.readable);
        CHECK(read.has_more);
        CHECK_EQ(read.last_id, "b");
        CHECK(read.found.find("\"b\"") != std::string::npos);
        CHECK(page_in(R"({"data":[]})", "7-x").found.empty());
        CHECK_FALSE(page_in("<html>", "7-x").readable);
    }

    TEST_CASE("an answer of the internal service is read, and its refund by reference") {
        operation refund{action::refund};
        refund.mark = "7-x";
        const std::string body =
            R"({"payment_id":"p1","status":"succeeded","captured":5,"currency":"eur",
                "refunds":[{"refund_id":"r1","reference":"7-x","status":"succeeded"}]})";
        CHECK_EQ(internal_payment_in(body, refund).refund_id, "r1");
        refund.mark = "8-x";
        CHECK(internal_payment_in(body, refund).what == verdict::absent);
        const operation create{action::create};
        CHECK_EQ(internal_payment_in(body, create).captured, 5);
        CHECK(internal_payment_in("[]", create).what == verdict::doubt);
        CHECK(internal_payment_in(R"({"payment_id":"p","status":"failed"})", create).what ==
              verdict::refused);
    }
}
