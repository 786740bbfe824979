#pragma once

#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue::processors::payment {

/// Where a payment stands at its provider.
enum class payment_state {
    open,             ///< made, and nobody has tried to charge it
    processing,       ///< the bank takes its time
    action_required,  ///< the customer must confirm
    authorized,       ///< reserved on the card, to be captured
    succeeded,
    failed,  ///< declined; another payment method may be tried
    cancelled,
};

/// As the table payments.payment writes it.
[[nodiscard]] std::string_view to_string(payment_state state) noexcept;
[[nodiscard]] std::optional<payment_state> parse_payment_state(std::string_view text) noexcept;

/// What is known after a request.
enum class verdict {
    done,         ///< it happened, and the reply says what came of it
    refused,      ///< it did not happen and would be refused again
    absent,       ///< asked whether it happened: provably not
    throttled,    ///< it did not happen: too many requests, or the object is locked
    unsent,       ///< it did not happen: nobody was reached
    shut,         ///< it did not happen: our credentials are refused; so would every other job's be
    doubt,        ///< it may have happened; the same key may be used again
    saved_doubt,  ///< it may have happened, and the same key would bring the same answer again
};

/// What a provider said, or what is known without an answer.
class reply {
   public:
    reply() = default;
    explicit reply(verdict what_, std::string why_ = {}) : what{what_}, why{std::move(why_)} {}

    verdict what{verdict::doubt};
    std::string why;        ///< for people; no amounts, no personal data
    std::string code;       ///< the provider's, of a refusal
    bool about_key{false};  ///< refused because of the idempotency key or too many requests
    std::optional<std::chrono::milliseconds> after;  ///< when to come back, if it was said

    payment_state state{payment_state::open};
    std::string provider_id;  ///< of the payment
    std::int64_t amount{0};   ///< minor units of ISO 4217, as are the others
    std::int64_t captured{0};
    std::int64_t refunded{0};
    std::string currency;         ///< in capital letters
    std::string next_action_url;  ///< where the customer confirms
    std::string refund_id;
    /// What we wrote on it when we made it; empty when we did not.
    std::string order_id;
    std::string tenant_id;
};
static_assert(!std::is_aggregate_v<reply>);

enum class action { create, confirm, capture, cancel, refund };

/// One thing to be done to a payment. Which fields matter depends on `what`.
class operation {
   public:
    explicit operation(action what_) : what{what_} {}

    action what;
    std::string provider_id;  ///< of the payment; not for `create`
    std::string mark;         ///< written on what is made, to find it again; the job's, for good
    std::string tenant_id;
    std::string order_id;
    std::int64_t amount{0};  ///< minor units; 0 for `capture`: all
    std::string currency;
    std::string payment_method;
    std::string customer;
    bool capture{true};
    bool off_session{false};
    std::string return_url;
    std::string description;
    std::string reason;
    std::vector<std::pair<std::string, std::string>> metadata;
    /// `look` need not search what was made before.
    std::chrono::sys_seconds since{};
};
static_assert(!std::is_aggregate_v<operation>);

/// The small interface both strategies are behind. Immutable after construction, shared by the runs
/// of a worker; every member is a coroutine on the loop of `run.executor`, whose arguments must
/// stay until it returns. Each reports its requests to the limits of the job. Throws only
/// std::bad_alloc.
class provider {
   public:
    provider() = default;
    provider(const provider&) = delete;
    provider& operator=(const provider&) = delete;
    virtual ~provider() = default;

    /// As payments.payment.provider has it: `stripe`, `internal`.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Nothing, or why this amount of this currency cannot be charged.
    [[nodiscard]] virtual std::optional<std::string> objection(std::int64_t amount,
                                                               std::string_view currency) const = 0;
    /// Does it. `key` is what the provider deduplicates by.
    [[nodiscard]] virtual boost::asio::awaitable<reply> act(const run_view& run,
                                                            const operation& what,
                                                            const std::string& key) const = 0;
    /// Whether it has happened: done, refused (it was tried and refused), absent, or no answer.
    [[nodiscard]] virtual boost::asio::awaitable<reply> look(const run_view& run,
                                                             const operation& what,
                                                             const std::string& key) const = 0;
    /// Where the payment stands: done, absent, or no answer.
    [[nodiscard]] virtual boost::asio::awaitable<reply> fetch(
        const run_view& run, const std::string& provider_id) const = 0;
};

/// What an answer, or the lack of one, says by itself, for either provider: the table of
/// docs/processors/payment.md. `done` for 2xx. `name` begins the text.
[[nodiscard]] reply first_judgement(const http_response& response, std::string_view name);

/// Of a payment that was looked at: whether it shows that `what` has happened.
[[nodiscard]] reply judged(const operation& what, reply found);

}  // namespace libqueue::processors::payment
