#include "processors/payment/processor.hpp"

#include "processors/payment/desk.hpp"
#include "processors/support/counting.hpp"

#include <libqueue/backoff.hpp>

#include <processors_payment/migrations.hpp>

#include <utility>

namespace libqueue::processors::payment {

namespace {

using handler_function = boost::asio::awaitable<outcome> (*)(job_context&,
                                                             std::shared_ptr<const desk>);

class payment_handler {
   public:
    payment_handler(std::shared_ptr<const desk> with, handler_function run)
        : with_{std::move(with)}, run_{run} {}
    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        return run_(context, with_);
    }

   private:
    // Shared by the copies of the registrations and the runs under way.
    std::shared_ptr<const desk> with_;
    handler_function run_;
};

class refund_handler {
   public:
    refund_handler(std::shared_ptr<const desk> with, refund_mode mode)
        : with_{std::move(with)}, mode_{mode} {}
    boost::asio::awaitable<outcome> operator()(job_context& context) const {
        return refund_payment(context, with_, mode_);
    }

   private:
    std::shared_ptr<const desk> with_;
    refund_mode mode_;
};

void count(job_context& context, const outcome& said) {
    const bool refund = context.job().kind.starts_with("refund.");
    const auto* const total = refund ? "refunds_processed_total" : "payments_processed_total";
    if (said.kind() == outcome::type::discard) {
        context.count(total, 1, {{"status", "failed"}});
    }
    if (said.kind() != outcome::type::completed) {
        return;
    }
    const auto output = members_of_output(said);
    if (output.contains("already_refunded")) {
        return;
    }
    context.count(total, 1, {{"status", "completed"}});
    const double amount = number_member(output, refund ? "amount" : "captured");
    if (amount > 0) {
        context.count(refund ? "refund_amount_total_cents" : "payment_amount_total_cents", amount,
                      {{"currency", text_member(output, "currency")}});
    }
}

registration entry_of(const char* kind, const desk& with, const coroutine_handler& handle) {
    registration entry{kind};
    entry.handle = handle;
    entry.reconcile = handle;
    entry.options.retry = backoff::payment();
    entry.options.max_attempts = 6;
    entry.options.on_lost = libqueue::on_lost::reconcile;
    entry.options.limit = with.given.limit;
    // Longer than its requests take, so that a slow provider is reported as that.
    entry.options.timeout = with.given.timeout + std::chrono::seconds{10};
    return entry;
}

}  // namespace

std::vector<registration> make_registrations(options given) {
    const auto with = std::make_shared<const desk>(std::move(given));
    std::vector<registration> kinds;
    kinds.push_back(entry_of("payment.process", *with, payment_handler{with, &process_payment}));
    kinds.push_back(entry_of("payment.retry", *with, payment_handler{with, &retry_payment}));
    kinds.push_back(entry_of("payment.capture", *with, payment_handler{with, &capture_payment}));
    kinds.push_back(entry_of("refund.process", *with, refund_handler{with, refund_mode::either}));
    kinds.push_back(entry_of("refund.full", *with, refund_handler{with, refund_mode::whole}));
    kinds.push_back(entry_of("refund.partial", *with, refund_handler{with, refund_mode::partial}));
    return with_counts(std::move(kinds), &count);
}

migration_set migrations() {
    return embedded_migrations();
}

limit_options default_limit(provider_kind provider) {
    const bool stripe = provider == provider_kind::stripe;
    limit_options limit{stripe ? "stripe" : "internal"};
    limit.burst = stripe ? 25 : 100;
    limit.rate = stripe ? 5 : 50;
    limit.concurrency = stripe ? 10 : 50;
    limit.breaker.emplace();
    return limit;
}

}  // namespace libqueue::processors::payment
