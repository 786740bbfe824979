#include "processors/payment/stripe.hpp"

#include "processors/payment/currency.hpp"
#include "processors/payment/stripe_answer.hpp"
#include "processors/support/form_body.hpp"
#include "processors/support/http_client.hpp"
#include "processors/support/redaction.hpp"

#include <algorithm>
#include <stdexcept>

namespace libqueue::processors::payment {

namespace {

constexpr std::size_t list_limit = 8UL << 20U;
/// Lists that are longer say nothing about absence: 200 pages of 100, an hour at Stripe's limit.
constexpr int most_pages = 200;
/// What was made before that is found by a search, whatever happens at Stripe: "up to an hour
/// behind during outages" (docs.stripe.com/search).
constexpr std::chrono::minutes search_lag{62};

std::string to_lower_code(std::string_view code) {
    std::string out{code};
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

void add_metadata(form_body& form, const operation& what) {
    form.add(nested("metadata", "libqueue_job"), what.mark);
    if (!what.tenant_id.empty()) {
        form.add(nested("metadata", "libqueue_tenant"), what.tenant_id);
    }
    if (!what.order_id.empty()) {
        form.add(nested("metadata", "order_id"), what.order_id);
    }
    for (const auto& [name, value] : what.metadata) {
        form.add(nested("metadata", name), value);
    }
}

void add_if(form_body& form, std::string_view name, const std::string& value) {
    if (!value.empty()) {
        form.add(name, value);
    }
}

form_body create_form(const operation& what) {
    form_body form;
    form.add("amount", stripe_amount(what.amount, what.currency).value_or(0));
    form.add("currency", to_lower_code(what.currency));
    form.add("payment_method", what.payment_method);
    form.add("confirm", "true");
    form.add("capture_method", what.capture ? "automatic" : "manual");
    form.add(nested("automatic_payment_methods", "enabled"), "true");
    if (what.return_url.empty()) {
        // Else Stripe refuses a confirmation without a place to send the customer back to.
        form.add(nested("automatic_payment_methods", "allow_redirects"), "never");
    } else {
        form.add("return_url", what.return_url);
    }
    if (what.off_session) {
        form.add("off_session", "true");
    }
    add_if(form, "customer", what.customer);
    add_if(form, "description", what.description);
    add_metadata(form, what);
    return form;
}

form_body form_of(const operation& what) {
    form_body form;
    switch (what.what) {
        case action::create:
            return create_form(what);
        case action::confirm:
            add_if(form, "payment_method", what.payment_method);
            add_if(form, "return_url", what.return_url);
            break;
        case action::capture:
            if (what.amount > 0) {
                form.add("amount_to_capture",
                         stripe_amount(what.amount, what.currency).value_or(0));
            }
            break;
        case action::cancel:
            form.add("cancellation_reason", "abandoned");
            break;
        case action::refund:
            form.add("payment_intent", what.provider_id);
            form.add("amount", stripe_amount(what.amount, what.currency).value_or(0));
            add_if(form, "reason", what.reason);
            add_metadata(form, what);
            break;
    }
    return form;
}

std::string path_of(const operation& what) {
    const auto of_payment = [&what](std::string_view verb) {
        return "/v1/payment_intents/" + percent_encoded(what.provider_id) + std::string{verb};
    };
    switch (what.what) {
        case action::create:
            return "/v1/payment_intents";
        case action::confirm:
            return of_payment("/confirm");
        case action::capture:
            return of_payment("/capture");
        case action::cancel:
            return of_payment("/cancel");
        case action::refund:
            break;
    }
    return "/v1/refunds";
}

reply read_answer(const operation& what, const http_response& response) {
    auto made = stripe_judgement(response);
    if (made.what != verdict::done || response.status > 299) {
        return made;
    }
    return what.what == action::refund ? refund_in(response.body) : intent_in(response.body);
}

class stripe final : public provider {
   public:
    explicit stripe(const options& given) : given_{given} {
        base_ = given.base_url.empty() ? "https://api.stripe.com" : given.base_url;
        if (given.key.empty()) {
            throw std::invalid_argument{"payment: expected Stripe's key, got none"};
        }
        authorization_ = secret{"Bearer " + std::string{given.key.reveal()}};
        policy_.repeatable = true;
        policy_.timeout = given.timeout;
        policy_.own_credentials = true;
    }

    [[nodiscard]] std::string_view name() const noexcept override { return "stripe"; }

    [[nodiscard]] std::optional<std::string> objection(std::int64_t amount,
                                                       std::string_view currency) const override {
        if (!stripe_amount(amount, currency)) {
            return "amount: its last digits must be zero in " + std::string{currency} +
                   " at Stripe";
        }
        return std::nullopt;
    }

    boost::asio::awaitable<reply> act(const run_view& run, const operation& what,
                                      const std::string& key) const override {
        const auto form = form_of(what);
        http_request request{base_ + path_of(what), form.text()};
        prepare(request);
        request.set("content-type", "application/x-www-form-urlencoded");
        request.set("idempotency-key", key);
        const auto response = co_await call(run, request, policy_);
        note(run, response);
        auto made = read_answer(what, response);
        if (made.code == "payment_intent_unexpected_state" && what.what != action::create) {
            // Perhaps because it has happened; the payment itself knows.
            auto found = co_await look(run, what, key);
            if (found.what == verdict::done) {
                co_return found;
            }
        }
        co_return made;
    }

    boost::asio::awaitable<reply> look(const run_view& run, const operation& what,
                                       const std::string&) const override {
        if (what.what == action::refund) {
            auto found = co_await look_for(run, "/v1/refunds", refunds_query(what), what.mark);
            if (found.what == verdict::done) {
                auto refund = refund_in(found.why);
                co_return refund;
            }
            co_return found;
        }
        if (what.what == action::create) {
            auto made = co_await look_for_payment(run, what);
            co_return judged(what, std::move(made));
        }
        auto made = co_await fetch(run, what.provider_id);
        co_return judged(what, std::move(made));
    }

    boost::asio::awaitable<reply> fetch(const run_view& run,
                                        const std::string& provider_id) const override {
        const auto path =
            "/v1/payment_intents/" + percent_encoded(provider_id) + "?expand[]=latest_charge";
        const auto response = co_await get(run, path);
        if (response.end == http_end::answered && response.status == 404) {
            reply made{verdict::absent, "Stripe has no such payment"};
            co_return made;
        }
        auto made = stripe_judgement(response);
        if (made.what == verdict::done) {
            made = intent_in(response.body);
        }
        co_return made;
    }

   private:
    void prepare(http_request& request) const {
        request.ca_file = given_.ca_file;
        request.allow_http = given_.allow_http;
        request.addresses = address_policy::any;
        request.set("authorization", authorization_.reveal());
        request.set("stripe-version", stripe_version);
    }

    static void note(const run_view& run, const http_response& response) {
        if (response.end == http_end::answered && response.status >= 300) {
            run.log(response.status == 401 || response.status == 403 ? log_level::error
                                                                     : log_level::warning,
                    "Stripe answered " + std::to_string(response.status) + ": " +
                        redacted_json(response.body));
        }
    }

    boost::asio::awaitable<http_response> get(const run_view& run, const std::string& path) const {
        http_request request{"GET", base_ + path, ""};
        request.body_limit = list_limit;
        prepare(request);
        auto response = co_await call(run, request, policy_);
        co_return response;
    }

    static std::string refunds_query(const operation& what) {
        form_body query;
        query.add("payment_intent", what.provider_id);
        return query.text();
    }

    /// A search finds what is old, the list what is new; what neither has does not exist. Without
    /// a search, which not every account has, the list must do it all.
    boost::asio::awaitable<reply> look_for_payment(const run_view& run,
                                                   const operation& what) const {
        form_body search;
        search.add("query", "metadata['libqueue_job']:'" + what.mark + "'");
        auto found = co_await look_for(run, "/v1/payment_intents/search", search.text(), what.mark);
        if (found.what == verdict::absent || found.what == verdict::refused) {
            auto since = what.since;
            if (found.what == verdict::absent) {
                const auto now =
                    std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
                since = std::max(since, std::chrono::sys_seconds{now - search_lag});
            }
            form_body query;
            query.add(nested("created", "gte"), since.time_since_epoch().count());
            add_if(query, "customer", what.customer);
            found = co_await look_for(run, "/v1/payment_intents", query.text(), what.mark);
        }
        if (found.what == verdict::done) {
            found = intent_in(found.why);
        }
        co_return found;
    }

    /// Done: `why` is the JSON of what was found.
    boost::asio::awaitable<reply> look_for(const run_view& run, std::string path, std::string query,
                                           std::string mark) const {
        std::string after;
        const bool search = path.ends_with("/search");
        for (int pages = 0; pages < most_pages; ++pages) {
            std::string target = path + "?limit=100&" + query;
            if (!after.empty()) {
                target += "&starting_after=" + percent_encoded(after);
            }
            const auto response = co_await get(run, target);
            auto made = stripe_judgement(response);
            if (made.what != verdict::done) {
                co_return made;
            }
            const auto read = page_in(response.body, mark);
            if (!read.readable) {
                reply unreadable{verdict::doubt, "Stripe: expected a list, got something else"};
                co_return unreadable;
            }
            if (!read.found.empty()) {
                reply done{verdict::done, read.found};
                co_return done;
            }
            if (!read.has_more || read.last_id.empty() || search) {
                reply absent{verdict::absent, "Stripe has none of this job"};
                co_return absent;
            }
            after = read.last_id;
        }
        reply endless{verdict::doubt, "Stripe: the list is too long to be searched"};
        co_return endless;
    }

    options given_;
    std::string base_;
    secret authorization_;
    call_policy policy_;
};

}  // namespace

std::unique_ptr<provider> make_stripe(const options& given) {
    return std::make_unique<stripe>(given);
}

}  // namespace libqueue::processors::payment
