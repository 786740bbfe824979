#include "processors/payment/books.hpp"

#include <sql/adopt_payment.hpp>
#include <sql/begin_payment.hpp>
#include <sql/record_payment.hpp>
#include <sql/record_refund.hpp>
#include <sql/reserve_refund.hpp>
#include <sql/take_payment.hpp>

#include <boost/json.hpp>

#include <charconv>

namespace libqueue::processors::payment {

namespace {

using parameter = std::optional<std::string>;

std::int64_t number(const rows& answer, std::size_t column) {
    std::int64_t value = 0;
    const auto text = answer.text(0, column);
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

parameter or_null(const std::string& text) {
    return text.empty() ? parameter{} : parameter{text};
}

parameter or_null(const std::optional<std::int64_t>& value) {
    return value ? parameter{std::to_string(*value)} : parameter{};
}

}  // namespace

payment_row payment_row::begun(const rows& answer) {
    payment_row row;
    row.verdict = answer.text(0, 0);
    row.id = number(answer, 1);
    row.state = parse_payment_state(answer.text(0, 2)).value_or(payment_state::open);
    row.provider_id = answer.text(0, 3);
    row.generation = static_cast<int>(number(answer, 4));
    row.age = std::chrono::seconds{number(answer, 5)};
    row.other_job = number(answer, 6);
    return row;
}

payment_row payment_row::taken(const rows& answer) {
    auto row = begun(answer);
    row.amount = number(answer, 7);
    row.currency = answer.text(0, 8);
    row.captured = number(answer, 9);
    row.order_id = answer.text(0, 10);
    row.provider = answer.text(0, 11);
    return row;
}

refund_row refund_row::read(const rows& answer) {
    refund_row row;
    row.verdict = answer.text(0, 0);
    row.id = number(answer, 1);
    row.payment_id = number(answer, 2);
    row.provider = answer.text(0, 3);
    row.provider_payment_id = answer.text(0, 4);
    row.amount = number(answer, 5);
    row.currency = answer.text(0, 6);
    row.order_id = answer.text(0, 7);
    row.generation = static_cast<int>(number(answer, 8));
    row.provider_id = answer.text(0, 9);
    row.other_job = number(answer, 10);
    return row;
}

statement begin_payment(const libqueue::job& job, const process_payload& payload,
                        std::string_view provider) {
    statement made{std::string{sql::begin_payment}};
    made.parameters = {std::to_string(job.id), job.tenant_id,
                       payload.order_id,       payload.part,
                       std::string{provider},  std::to_string(payload.amount),
                       payload.currency};
    return made;
}

statement take_payment(const libqueue::job& job, const payment_name& name,
                       std::string_view purpose) {
    statement made{std::string{sql::take_payment}};
    made.parameters = {std::to_string(job.id),   job.tenant_id, std::string{purpose},
                       or_null(name.payment_id), name.order_id, name.part,
                       name.provider_id};
    return made;
}

statement record_payment(const libqueue::job& job, const reply& said) {
    statement made{std::string{sql::record_payment}};
    parameter about;
    if (!said.next_action_url.empty()) {
        boost::json::object url;
        url["next_action_url"] = said.next_action_url;
        about = boost::json::serialize(url);
    }
    made.parameters = {std::to_string(job.id),    std::string{to_string(said.state)},
                       or_null(said.provider_id), std::to_string(said.captured),
                       or_null(said.code),        about};
    return made;
}

statement reserve_refund(const libqueue::job& job, const refund_payload& payload) {
    statement made{std::string{sql::reserve_refund}};
    made.parameters = {
        std::to_string(job.id),   job.tenant_id,        or_null(payload.amount),
        payload.currency,         payload.reference,    or_null(payload.payment.payment_id),
        payload.payment.order_id, payload.payment.part, payload.payment.provider_id};
    return made;
}

statement adopt_payment(const libqueue::job& job, std::string_view provider, const reply& found) {
    statement made{std::string{sql::adopt_payment}};
    made.parameters = {job.tenant_id,
                       std::string{provider},
                       found.provider_id,
                       or_null(found.order_id),
                       std::to_string(found.amount),
                       found.currency,
                       std::to_string(found.captured),
                       std::to_string(found.refunded)};
    return made;
}

statement record_refund(const libqueue::job& job, bool happened, const reply& said) {
    statement made{std::string{sql::record_refund}};
    made.parameters = {std::to_string(job.id), happened ? "true" : "false", or_null(said.refund_id),
                       or_null(said.code)};
    return made;
}

}  // namespace libqueue::processors::payment
