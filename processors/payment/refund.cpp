#include "processors/payment/desk.hpp"
#include "processors/payment/effect_step.hpp"

#include <boost/json.hpp>

namespace libqueue::processors::payment {

namespace {

using namespace std::chrono_literals;

std::string output_of(const refund_row& row, const std::string& refund_id, bool before) {
    boost::json::object out;
    out["refund_id"] = row.id;
    out["payment_id"] = row.payment_id;
    out["order_id"] = row.order_id;
    out["provider"] = row.provider;
    out["provider_id"] = refund_id;
    out["amount"] = row.amount;
    out["currency"] = row.currency;
    if (before) {
        out["already_refunded"] = true;
    }
    return boost::json::serialize(out);
}

/// Verdicts of the books other than `mine` and `unknown`.
outcome not_now(const refund_row& row) {
    const auto job =
        row.other_job == 0 ? std::string{"another job"} : "job " + std::to_string(row.other_job);
    if (row.verdict == "busy") {
        return snooze(5s, job + " is refunding this payment");
    }
    if (row.verdict == "doubt") {
        return discard("whether " + job +
                       " refunded this payment is in doubt: replay it, or resolve its effect with "
                       "`qctl jobs resolve`");
    }
    if (row.verdict == "done") {
        return completed(output_of(row, row.provider_id, true));
    }
    if (row.verdict == "nothing") {
        return completed(R"({"already_refunded":true})");
    }
    if (row.verdict == "over") {
        return discard("payload.amount: more than is left of the payment");
    }
    if (row.verdict == "unpaid") {
        return discard("nothing was captured of this payment");
    }
    return discard(
        "payload: the reference stands for another refund, or the currency is not the "
        "payment's");
}

boost::asio::awaitable<result<refund_row>> reserved(job_context& context,
                                                    const refund_payload& payload) {
    auto answer = co_await context.query(reserve_refund(context.job(), payload));
    if (!answer) {
        co_return answer.error();
    }
    co_return refund_row::read(*answer);
}

/// A payment we have no row of: the provider may have. Nothing when it was taken over.
boost::asio::awaitable<std::optional<outcome>> adopted(job_context& context, const run_view& run,
                                                       const desk& with,
                                                       const refund_payload& payload) {
    if (!payload.payment.provider_id) {
        co_return discard("no such payment");
    }
    const auto found = co_await with.at->fetch(run, *payload.payment.provider_id);
    if (found.what == verdict::absent || found.what == verdict::refused) {
        co_return discard("no such payment, here or at the provider");
    }
    if (found.what != verdict::done) {
        co_return come_back(found);
    }
    if (!found.tenant_id.empty() && found.tenant_id != run.job.tenant_id.value_or("")) {
        co_return discard("no such payment");  // of this tenant
    }
    if (found.captured <= 0 || found.captured > found.amount) {
        co_return discard("nothing was captured of this payment");
    }
    const auto made = co_await context.query(adopt_payment(run.job, with.at->name(), found));
    if (!made) {
        co_return discard(made.error().message);
    }
    if (made->text(0, 0) != "t") {
        co_return discard("no such payment");  // of this tenant: it has a row of another's
    }
    co_return std::nullopt;
}

boost::asio::awaitable<outcome> refund(job_context& context, const run_view& run, const desk& with,
                                       const refund_row& row, const refund_payload& payload) {
    if (row.provider != with.at->name()) {
        co_return discard("the payment was made at " + row.provider +
                          ", which this worker does not talk to");
    }
    operation what{action::refund};
    what.provider_id = row.provider_payment_id;
    what.mark = mark_of(run, row.generation);
    what.tenant_id = run.job.tenant_id.value_or("");
    what.order_id = row.order_id;
    what.amount = row.amount;
    what.currency = row.currency;
    what.reason = payload.reason;
    step_plan plan{"refund"};
    plan.generation = row.generation;
    plan.look_first = true;
    auto end = co_await take_step(context, run, *with.at, what, plan);
    if (end.later) {
        co_return std::move(*end.later);
    }
    if (end.said.what == verdict::refused) {
        co_return discard(end.said.why).also(record_refund(run.job, false, end.said));
    }
    const bool before = end.said.refund_id.empty();
    co_return completed(output_of(row, end.said.refund_id, before))
        .also(record_refund(run.job, true, end.said));
}

}  // namespace

boost::asio::awaitable<outcome> refund_payment(job_context& context,
                                               std::shared_ptr<const desk> with, refund_mode mode) {
    const auto run = view_of(context);
    const auto payload = refund_payload::parse(run.job.payload, mode, with->given.most);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    auto row = co_await reserved(context, *payload);
    if (row && row->verdict == "unknown") {
        auto why_not = co_await adopted(context, run, *with, *payload);
        if (why_not) {
            co_return std::move(*why_not);
        }
        auto again = co_await reserved(context, *payload);
        row = std::move(again);
    }
    if (!row) {
        co_return discard(row.error().message);
    }
    if (row->verdict != "mine") {
        co_return not_now(*row);
    }
    auto end = co_await refund(context, run, *with, *row, *payload);
    co_return end;
}

}  // namespace libqueue::processors::payment
