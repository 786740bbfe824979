#pragma once

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// What the other side of a processor does wrong, from the next request on.
enum class provider_fault {
    none,
    lost_reply,  ///< it does what it was asked, and the connection ends before the answer
    down,        ///< it does nothing: 5xx, or 4yz of a mail server
    slow,        ///< it answers later than the processor's timeout, having done nothing
    random,      ///< each request one of the above or none, by a seed; about half are well
};

/// As the servers of other languages are told it.
[[nodiscard]] std::string_view to_string(provider_fault fault) noexcept;

/// Which fault the next request meets. Not thread-safe.
class fault_switch {
   public:
    void set(provider_fault fault) noexcept { fault_ = fault; }
    /// Never `random`: one of the others.
    [[nodiscard]] provider_fault next();

   private:
    provider_fault fault_{provider_fault::none};
    std::mt19937 random_{20261121};
};

/// The other side of one processor, and what the processor must be told: what the conformance test
/// and the campaign need to run every processor through the same cases. A real server on
/// 127.0.0.1, which keeps what it did by business key as the provider would see it. Thread-safe.
class counterpart {
   public:
    counterpart() = default;
    counterpart(const counterpart&) = delete;
    counterpart& operator=(const counterpart&) = delete;
    virtual ~counterpart() = default;

    /// The members of `processors:` and further top-level sections of workerd's file, whose
    /// timeouts are short (about 1 s) so that a slow provider does not take the test long.
    [[nodiscard]] virtual std::string processors_yaml() const = 0;
    [[nodiscard]] virtual std::string more_yaml() const { return {}; }
    /// SQL that must have run on a migrated database before the first job: templates, endpoints.
    [[nodiscard]] virtual std::string preparation_sql() const { return {}; }

    [[nodiscard]] virtual std::string kind() const = 0;
    /// Valid payload of the job with this business key (0, 1, 2, ...).
    [[nodiscard]] virtual std::string payload(int key) const = 0;
    /// Does not fit: the job must end as a dead letter at its first attempt.
    [[nodiscard]] virtual std::string bad_payload() const = 0;

    virtual void fail_with(provider_fault fault) = 0;
    /// How often the effect of this key happened, as the other side counts it after its own
    /// deduplication by the id it was sent (a mail's Message-ID, a webhook's id, Stripe's key).
    [[nodiscard]] virtual int effects(int key) const = 0;
    /// All effects of all keys, in the same sense.
    [[nodiscard]] virtual int effects() const = 0;
    /// A processor whose effects are rows of the database is asked through this; empty: through
    /// `effects`. Returns one number: the effects of key $1.
    [[nodiscard]] virtual std::string effects_sql() const { return {}; }
    /// Whether doubt ends in a reconcile run (money, mint) rather than in a second try.
    [[nodiscard]] virtual bool reconciles() const { return false; }
};

[[nodiscard]] std::unique_ptr<counterpart> make_payment_counterpart();
[[nodiscard]] std::unique_ptr<counterpart> make_refund_counterpart();
[[nodiscard]] std::unique_ptr<counterpart> make_mint_counterpart();
[[nodiscard]] std::unique_ptr<counterpart> make_email_counterpart();
[[nodiscard]] std::unique_ptr<counterpart> make_sms_counterpart();
[[nodiscard]] std::unique_ptr<counterpart> make_webhook_counterpart();
[[nodiscard]] std::unique_ptr<counterpart> make_analytics_counterpart();

}  // namespace test
