#pragma once

#include "processors/mint/message.hpp"
#include "processors/mint/public_key.hpp"

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

// One NFT under Token-2022: a mint account with decimals 0 that carries its own name and URI
// (MetadataPointer and TokenMetadata extensions), one token in the recipient's account, and nobody
// who may mint another. Layouts: Token-2022's instruction enumeration, the spl-token-metadata
// interface and Solana's system program; run on a real SVM by the tests. Pure; any thread.

namespace libqueue::processors::mint {

/// What stands on the chain.
class token_content {
   public:
    token_content() = default;
    std::string name;    ///< at most 32 bytes
    std::string symbol;  ///< at most 10 bytes
    std::string uri;     ///< at most 200 bytes
    friend bool operator==(const token_content&, const token_content&) = default;
};
static_assert(!std::is_aggregate_v<token_content>);

/// What one mint is made of.
class mint_order {
   public:
    mint_order(const public_key& payer_, const public_key& recipient_, std::string seed_,
               token_content content_);

    public_key payer;  ///< pays, signs, is the base of the address and may update the metadata
    public_key recipient;
    std::string seed;
    token_content content;
    public_key mint;   ///< address_with_seed(payer, seed, Token-2022)
    public_key token;  ///< the recipient's associated token account
    std::uint32_t compute_units{200'000};
    std::uint64_t compute_price{0};  ///< micro-lamports per unit
};
static_assert(!std::is_aggregate_v<mint_order>);

/// Of the mint account as it is allocated: 82 bytes padded to 165, the account's type and the
/// MetadataPointer extension.
inline constexpr std::size_t allocated_bytes = 234;
/// Of the mint account in the end, when the program has added the metadata.
[[nodiscard]] std::size_t mint_bytes(const token_content& content);
/// Of the recipient's token account: 165, its type and the ImmutableOwner extension.
inline constexpr std::size_t token_bytes = 170;

/// The calls of one transaction. `lamports` is what is still missing at the mint address: somebody
/// may have sent lamports there, which is why the space is allocated and not created (CreateAccount
/// fails on an address that holds lamports). Where nothing is missing there is no transfer.
[[nodiscard]] std::vector<instruction> mint_instructions(const mint_order& order,
                                                         std::uint64_t lamports);

/// What the network takes for the transaction besides the rents: 5,000 lamports for the signature
/// and the price of the compute units, rounded up.
[[nodiscard]] std::uint64_t fee_of(const mint_order& order);

}  // namespace libqueue::processors::mint
