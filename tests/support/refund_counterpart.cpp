#include "stripe_counterpart.hpp"

#include <map>
#include <mutex>

namespace test {

namespace {

/// Each key refunds a payment of its own, which was made elsewhere and is taken over from Stripe.
class refund_counterpart final : public stripe_counterpart {
   public:
    [[nodiscard]] std::string kind() const override { return "refund.partial"; }
    [[nodiscard]] std::string payload(int key) const override {
        const std::lock_guard lock{mutex_};
        auto& id = payments_[key];
        if (id.empty()) {
            id = stripe_.add_intent(1'000, "eur", {{"order_id", order_of(key)}});
        }
        return R"({"provider_id":")" + id + R"(","amount":400})";
    }
    [[nodiscard]] std::string bad_payload() const override { return R"({"amount":400})"; }
    [[nodiscard]] int effects(int key) const override { return stripe_.refunds(order_of(key)); }
    [[nodiscard]] int effects() const override { return stripe_.refunds(); }

   private:
    mutable std::mutex mutex_;
    mutable std::map<int, std::string> payments_;
};

}  // namespace

std::unique_ptr<counterpart> make_refund_counterpart() {
    return std::make_unique<refund_counterpart>();
}

}  // namespace test
