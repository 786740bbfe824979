#include "stripe_counterpart.hpp"

namespace test {

namespace {

class payment_counterpart final : public stripe_counterpart {
   public:
    [[nodiscard]] std::string kind() const override { return "payment.process"; }
    [[nodiscard]] std::string payload(int key) const override {
        return R"({"order_id":")" + order_of(key) +
               R"(","amount":1250,"currency":"eur","payment_method":"pm_card_visa"})";
    }
    [[nodiscard]] std::string bad_payload() const override {
        return R"({"order_id":"o","amount":12.5,"currency":"eur","payment_method":"pm"})";
    }
    [[nodiscard]] int effects(int key) const override { return stripe_.charges(order_of(key)); }
    [[nodiscard]] int effects() const override { return stripe_.charges(); }
};

}  // namespace

std::unique_ptr<counterpart> make_payment_counterpart() {
    return std::make_unique<payment_counterpart>();
}

}  // namespace test
