#pragma once

#include "processors/mint/mint_account.hpp"
#include "processors/mint/records.hpp"
#include "processors/mint/rpc.hpp"

#include <cstdint>
#include <optional>
#include <type_traits>

namespace libqueue::processors::mint {

/// What one endpoint said, asked in this order: block height, status, account. The order matters: a
/// transaction whose last block has passed *before* its status was asked for, and is not known
/// then, can no longer land. Asked the other way round it could have landed in between.
class chain_view {
   public:
    chain_view() = default;
    std::uint64_t height{0};    ///< only with a transaction under way
    transaction_status status;  ///< of it
    std::optional<account> at_address;
};
static_assert(!std::is_aggregate_v<chain_view>);

enum class mint_step {
    done,     ///< it is minted
    blocked,  ///< something else is at the address
    wait,     ///< a transaction may still land: send the same bytes again, then look again
    expired,  ///< the transaction under way can no longer land
    failed,   ///< the transaction under way landed and did nothing
    sign,     ///< nothing is under way: make a transaction
};

/// The account decides, not the transaction: "already in use" and a lost status alike are settled
/// by reading what stands at the address. Pure.
[[nodiscard]] mint_step next_step(const std::optional<signed_transaction>& under_way,
                                  const chain_view& seen, account_finding found) noexcept;

}  // namespace libqueue::processors::mint
