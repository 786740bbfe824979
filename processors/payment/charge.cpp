#include "processors/payment/desk.hpp"
#include "processors/payment/effect_step.hpp"
#include "processors/payment/internal_service.hpp"
#include "processors/payment/stripe.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <stdexcept>

namespace libqueue::processors::payment {

namespace {

using namespace std::chrono_literals;

/// A payment under way: the row it is taken from and what is to be sent.
class sale {
   public:
    sale(payment_row row_, operation what_) : row{std::move(row_)}, what{std::move(what_)} {}
    payment_row row;
    operation what;
};

std::string output_of(const sale& of, const provider& at, const reply& said) {
    boost::json::object out;
    out["payment_id"] = of.row.id;
    out["order_id"] = of.what.order_id;
    out["provider"] = at.name();
    out["provider_id"] = said.provider_id;
    out["state"] = to_string(said.state);
    out["amount"] = of.what.amount;
    out["captured"] = said.captured;
    out["currency"] = of.what.currency;
    return boost::json::serialize(out);
}

outcome recorded(outcome said, const run_view& run, const reply& reply) {
    return std::move(said).also(record_payment(run.job, reply));
}

/// What a verdict of the books other than `mine` means. Texts name jobs and never orders.
outcome not_ours(const payment_row& row) {
    const auto job =
        row.other_job == 0 ? std::string{"another job"} : "job " + std::to_string(row.other_job);
    if (row.verdict == "busy") {
        return snooze(5s, job + " is at this order");
    }
    if (row.verdict == "paid") {
        return discard("the order is paid already, by " + job);
    }
    if (row.verdict == "doubt") {
        return discard("whether " + job +
                       " was paid for this order is in doubt: look at the provider, then say so "
                       "with payments.decide(" +
                       std::to_string(row.id) + ", ...)");
    }
    if (row.verdict == "unfit") {
        return discard("the payment is " + std::string{to_string(row.state)} +
                       ", which does not allow this");
    }
    return discard("no such payment");
}

/// How long until the next look at a payment that waits for a bank or a customer: a tenth of the
/// time it has waited, so that quick ones are noticed quickly and slow ones cost little.
std::chrono::milliseconds next_look(std::chrono::seconds age) {
    return std::clamp<std::chrono::milliseconds>(age / 10, 5s, 15min);
}

outcome refused(const run_view& run, const reply& said) {
    auto failed = said;
    if (failed.state != payment_state::cancelled) {
        failed.state = payment_state::failed;
    }
    return recorded(discard(said.why), run, failed);
}

boost::asio::awaitable<outcome> give_up_waiting(job_context& context, const run_view& run,
                                                const desk& with, sale& of, const reply& waiting) {
    operation cancel{action::cancel};
    cancel.provider_id = waiting.provider_id;
    step_plan plan{"cancel"};
    plan.generation = of.row.generation;
    auto end = co_await take_step(context, run, *with.at, cancel, plan);
    if (end.later) {
        co_return std::move(*end.later);
    }
    if (end.said.what == verdict::refused) {
        co_return snooze(1s, "the payment was confirmed at the last moment");
    }
    reply late = waiting;
    late.state = payment_state::cancelled;
    late.code = "action_timeout";
    late.next_action_url.clear();
    co_return recorded(discard("the customer did not confirm the payment in time"), run, late);
}

/// Ends the run by where the payment stands.
boost::asio::awaitable<outcome> conclude(job_context& context, const run_view& run,
                                         const desk& with, sale& of, reply said) {
    switch (said.state) {
        case payment_state::succeeded:
        case payment_state::authorized:
            co_return recorded(completed(output_of(of, *with.at, said)), run, said);
        case payment_state::open:
        case payment_state::processing: {
            said.state = payment_state::processing;
            co_return recorded(snooze(next_look(of.row.age), "the provider is processing it"), run,
                               said);
        }
        case payment_state::action_required: {
            if (of.row.age < with.given.action_timeout) {
                co_return recorded(snooze(next_look(of.row.age), "waits for the customer"), run,
                                   said);
            }
            auto end = co_await give_up_waiting(context, run, with, of, said);
            co_return end;
        }
        case payment_state::failed:
        case payment_state::cancelled:
            break;
    }
    co_return refused(run, said);
}

/// Takes the step, asks where the payment stands if that was in an earlier run, and ends the run.
boost::asio::awaitable<outcome> charge(job_context& context, const run_view& run, const desk& with,
                                       sale& of, const std::string& step) {
    step_plan plan{step};
    plan.generation = of.row.generation;
    auto end = co_await take_step(context, run, *with.at, of.what, plan);
    if (end.later) {
        co_return std::move(*end.later);
    }
    if (end.said.what == verdict::refused) {
        co_return refused(run, end.said);
    }
    reply said = std::move(end.said);
    const bool settled = said.state == payment_state::succeeded ||
                         (said.state == payment_state::authorized && step != "capture");
    if (end.recalled && !settled) {
        auto now = co_await with.at->fetch(run, said.provider_id);
        // A declined payment is an answer too, and so is one of the internal service.
        const bool known =
            now.what == verdict::done || (now.what == verdict::refused && !now.provider_id.empty());
        if (!known) {
            co_return come_back(now);
        }
        said = std::move(now);
    }
    if (said.state == payment_state::open && step == "create") {
        of.what.what = action::confirm;
        of.what.provider_id = said.provider_id;
        auto confirmed = co_await charge(context, run, with, of, "confirm");
        co_return confirmed;
    }
    auto ended = co_await conclude(context, run, with, of, std::move(said));
    co_return ended;
}

boost::asio::awaitable<result<payment_row>> taken(job_context& context, const payment_name& name,
                                                  const std::string& purpose) {
    auto answer = co_await context.query(take_payment(context.job(), name, purpose));
    if (!answer) {
        co_return answer.error();
    }
    co_return payment_row::taken(*answer);
}

operation follow_up_of(const payment_row& row, action what) {
    operation made{what};
    made.provider_id = row.provider_id;
    made.order_id = row.order_id;
    made.amount = row.amount;
    made.currency = row.currency;
    return made;
}

}  // namespace

run_view view_of(job_context& context) {
    run_view run{context};
    run.executor = context.executor();
    if (run.job.reconcile) {
        run.stop = {};
    }
    return run;
}

desk::desk(options given_) : given{std::move(given_)} {
    if (given.timeout <= std::chrono::milliseconds{0}) {
        throw std::invalid_argument{"payment: expected a timeout above zero"};
    }
    if (given.most < 1) {
        throw std::invalid_argument{"payment: expected a largest amount of at least 1"};
    }
    if (!given.base_url.empty() && !given.base_url.starts_with("https://") &&
        !(given.allow_http && given.base_url.starts_with("http://"))) {
        throw std::invalid_argument{"payment: expected a base URL of https://"};
    }
    at =
        given.provider == provider_kind::stripe ? make_stripe(given) : make_internal_service(given);
}

boost::asio::awaitable<outcome> process_payment(job_context& context,
                                                std::shared_ptr<const desk> with) {
    const auto run = view_of(context);
    const auto payload = process_payload::parse(run.job.payload, with->given.most);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    if (const auto why = with->at->objection(payload->amount, payload->currency)) {
        co_return discard(*why);
    }
    auto answer = co_await context.query(begin_payment(run.job, *payload, with->at->name()));
    if (!answer) {
        co_return discard(answer.error().message);
    }
    auto row = payment_row::begun(*answer);
    if (row.verdict != "mine") {
        co_return not_ours(row);
    }
    operation what{action::create};
    what.mark = mark_of(run, row.generation);
    what.tenant_id = run.job.tenant_id.value_or("");
    what.order_id = payload->order_id;
    what.amount = payload->amount;
    what.currency = payload->currency;
    what.payment_method = payload->payment_method;
    what.customer = payload->customer;
    what.capture = payload->capture;
    what.off_session = payload->off_session;
    what.return_url = payload->return_url;
    what.description = payload->description;
    what.metadata = payload->metadata;
    sale of{std::move(row), std::move(what)};
    auto end = co_await charge(context, run, *with, of, "create");
    co_return end;
}

boost::asio::awaitable<outcome> retry_payment(job_context& context,
                                              std::shared_ptr<const desk> with) {
    const auto run = view_of(context);
    const auto payload = follow_payload::parse(run.job.payload, true, with->given.most);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    auto row = co_await taken(context, payload->payment, "retry");
    if (!row) {
        co_return discard(row.error().message);
    }
    if (row->verdict != "mine") {
        co_return not_ours(*row);
    }
    auto what = follow_up_of(*row, action::confirm);
    what.payment_method = payload->payment_method;
    what.return_url = payload->return_url;
    sale of{std::move(*row), std::move(what)};
    auto end = co_await charge(context, run, *with, of, "confirm");
    co_return end;
}

boost::asio::awaitable<outcome> capture_payment(job_context& context,
                                                std::shared_ptr<const desk> with) {
    const auto run = view_of(context);
    const auto payload = follow_payload::parse(run.job.payload, false, with->given.most);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    auto row = co_await taken(context, payload->payment, "capture");
    if (!row) {
        co_return discard(row.error().message);
    }
    if (row->verdict != "mine") {
        co_return not_ours(*row);
    }
    if (payload->amount.value_or(0) > row->amount) {
        co_return discard("payload.amount: expected at most what was authorized");
    }
    auto what = follow_up_of(*row, action::capture);
    what.amount = payload->amount.value_or(row->amount);
    sale of{std::move(*row), std::move(what)};
    step_plan plan{"capture"};
    plan.generation = of.row.generation;
    auto end = co_await take_step(context, run, *with->at, of.what, plan);
    if (end.later) {
        co_return std::move(*end.later);
    }
    if (end.said.what == verdict::refused) {
        // Nothing was taken; it stands as it stood unless the provider said otherwise.
        auto still = end.said;
        still.provider_id = of.row.provider_id;
        if (still.state != payment_state::cancelled) {
            still.state = payment_state::authorized;
        }
        co_return recorded(discard(end.said.why), run, still);
    }
    co_return recorded(completed(output_of(of, *with->at, end.said)), run, end.said);
}

}  // namespace libqueue::processors::payment
