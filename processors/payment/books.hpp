#pragma once

#include "processors/payment/payload.hpp"
#include "processors/payment/provider.hpp"

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/statement.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

// The SQL of sql/0001 and 0002 as statements, and their answers as values. Pure; any thread.

namespace libqueue::processors::payment {

/// Answer of begin_payment and take_payment.
class payment_row {
   public:
    payment_row() = default;
    [[nodiscard]] static payment_row begun(const rows& answer);
    [[nodiscard]] static payment_row taken(const rows& answer);

    std::string verdict;
    std::int64_t id{0};
    payment_state state{payment_state::open};
    std::string provider_id;
    int generation{0};
    std::chrono::seconds age{0};
    std::int64_t other_job{0};
    std::int64_t amount{0};
    std::int64_t captured{0};
    std::string currency;
    std::string order_id;
    std::string provider;
};
static_assert(!std::is_aggregate_v<payment_row>);

/// Answer of reserve_refund.
class refund_row {
   public:
    refund_row() = default;
    [[nodiscard]] static refund_row read(const rows& answer);

    std::string verdict;
    std::int64_t id{0};
    std::int64_t payment_id{0};
    std::string provider;
    std::string provider_payment_id;
    std::int64_t amount{0};
    std::string currency;
    std::string order_id;
    int generation{0};
    std::string provider_id;
    std::int64_t other_job{0};
};
static_assert(!std::is_aggregate_v<refund_row>);

[[nodiscard]] statement begin_payment(const libqueue::job& job, const process_payload& payload,
                                      std::string_view provider);
[[nodiscard]] statement take_payment(const libqueue::job& job, const payment_name& name,
                                     std::string_view purpose);
[[nodiscard]] statement record_payment(const libqueue::job& job, const reply& said);
[[nodiscard]] statement reserve_refund(const libqueue::job& job, const refund_payload& payload);
[[nodiscard]] statement adopt_payment(const libqueue::job& job, std::string_view provider,
                                      const reply& found);
[[nodiscard]] statement record_refund(const libqueue::job& job, bool happened, const reply& said);

}  // namespace libqueue::processors::payment
