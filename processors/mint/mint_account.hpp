#pragma once

#include "processors/mint/instructions.hpp"
#include "processors/mint/public_key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue::processors::mint {

/// An account as a node describes it.
class account {
   public:
    account() = default;
    std::uint64_t lamports{0};
    public_key owner;
    std::string data;
};
static_assert(!std::is_aggregate_v<account>);

/// What stands at an address where we mint.
enum class account_finding {
    free,   ///< nothing but perhaps lamports: the mint may be made
    ours,   ///< the NFT: one token, no further ones, our name and URI
    other,  ///< something else; `why` says what
};

class account_verdict {
   public:
    account_verdict(account_finding what_, std::string why_) : what{what_}, why{std::move(why_)} {}
    account_finding what;
    std::string why;  ///< for people; of `other` only
};

/// Reads the account with the layouts of Token-2022: the mint's 82 bytes, its type at 165, then
/// extensions as type, length and value. Never reads past the end of what the node sent. Pure.
[[nodiscard]] account_verdict judge_account(const std::optional<account>& found,
                                            const mint_order& order);

}  // namespace libqueue::processors::mint
