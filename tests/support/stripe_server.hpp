#pragma once

#include "http_receiver.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// Decoded `application/x-www-form-urlencoded` fields, in order.
class form {
   public:
    /// Nothing when the text is no form: a name twice, a bad escape, a name without `=`.
    [[nodiscard]] static std::optional<form> parse(std::string_view text);
    [[nodiscard]] std::string get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    /// `metadata[a]=1` as {"a": "1"}.
    [[nodiscard]] std::map<std::string, std::string> nested(std::string_view outer) const;

   private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// What Stripe does of its API that the payment processor uses, on 127.0.0.1: payment intents and
/// refunds kept in memory, real form parsing, and the idempotency layer as documented
/// (docs.stripe.com/api/idempotent_requests): the first answer of a key is saved, 500s included,
/// and replayed; other parameters under a key are an idempotency_error; a request that is under way
/// under the key answers 409; keys are forgotten 24 h after their first use by a virtual clock.
/// Answers without effect (401, 429) come before that layer and are not saved. Thread-safe.
///
/// Payment methods decide what becomes of a charge: `pm_card_visa` succeeds, `pm_declined` is
/// declined (insufficient_funds), `pm_3ds` requires action, `pm_bank` processes.
class stripe_server {
   public:
    /// What happens to the requests for which `choose` says so.
    enum class fault {
        none,
        lost_reply,  ///< acts, and the connection ends
        saved_500,   ///< answers 500 without having acted, and saves it for the key
        acted_500,   ///< acts, and saves and answers 500
        down,        ///< 503, nothing done
        slow,        ///< answers after `slow_for`, having done nothing
        busy,        ///< 429 with lock_timeout, nothing done
        forbidden,   ///< 401, nothing done
    };

    stripe_server();
    ~stripe_server();
    stripe_server(const stripe_server&) = delete;
    stripe_server& operator=(const stripe_server&) = delete;

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::string key() const { return "rk_test_secret"; }

    /// Asked for each request that may change something; default none.
    void choose_fault(std::function<fault(const http_request&)> choose);
    void fail_always(fault which);
    /// The next `count` requests that may change something.
    void fail_next(fault which, int count = 1);
    /// None from now on, whatever was said before.
    void end_faults();
    /// The same for requests that read.
    void fail_reads(fault which);
    void set_slow(std::chrono::milliseconds time);
    /// An answer of its own for the next request that may change something.
    void answer_next(http_reply reply);

    /// Moves the virtual clock.
    void advance(std::chrono::hours time);
    /// What the customer or the bank did meanwhile: `succeeded`, `requires_payment_method`.
    void move_intent(const std::string& id, const std::string& status);
    /// A payment that was not made through the processor; returns its id.
    std::string add_intent(std::int64_t amount, const std::string& currency,
                           const std::map<std::string, std::string>& metadata = {});

    /// Charges that took money, by metadata[order_id].
    [[nodiscard]] int charges(const std::string& order_id) const;
    [[nodiscard]] int charges() const;
    /// What was given back of the payments of an order; how many times.
    [[nodiscard]] std::int64_t refunded(const std::string& order_id) const;
    [[nodiscard]] int refunds(const std::string& order_id) const;
    [[nodiscard]] int refunds() const;
    [[nodiscard]] std::int64_t captured(const std::string& order_id) const;
    /// Id of the newest intent of an order.
    [[nodiscard]] std::string intent_of(const std::string& order_id) const;
    /// Requests that may change something, by path.
    [[nodiscard]] std::vector<http_request> mutations() const;
    /// Forms that were refused as such, and requests without version, key or authorization.
    [[nodiscard]] std::vector<std::string> complaints() const;

   private:
    class books;
    std::unique_ptr<books> books_;
    // Last, so that it goes first: its threads use the books.
    http_receiver receiver_;
};

}  // namespace test
