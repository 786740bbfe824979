#pragma once

#include "counterpart.hpp"
#include "stripe_server.hpp"
#include "temp_dir.hpp"

#include <random>
#include <string>

namespace test {

/// What the counterparts of payments and refunds share: a Stripe of their own and its faults.
class stripe_counterpart : public counterpart {
   public:
    stripe_counterpart();

    [[nodiscard]] std::string processors_yaml() const override;
    [[nodiscard]] std::string more_yaml() const override;
    void fail_with(provider_fault fault) override;
    [[nodiscard]] bool reconciles() const override { return true; }

   protected:
    [[nodiscard]] static std::string order_of(int key) { return "order-" + std::to_string(key); }

   private:
    temp_dir folder_;
    /// Used by the server's threads one at a time, under its lock.
    std::mt19937 random_{20'260'930};

   protected:
    // After what its threads use.
    mutable stripe_server stripe_;
};

}  // namespace test
