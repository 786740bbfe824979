#pragma once

#include "processors/mint/public_key.hpp"

#include <libqueue/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue::processors::mint {

/// What `ticket.mint` and `nft.mint` are told:
///   {"ticket": "T-17", "user": "42", "recipient": "<base58>", "name": "Summer night #17",
///    "symbol": "TIX", "metadata": {"description": "...", "image": "https://..."},
///    "uri": "https://...", "key": "mint:T-17:42"}
/// Required: recipient and name, and either both of ticket and user or key. With `uri` the metadata
/// is somebody else's affair and is not uploaded.
class mint_payload {
   public:
    mint_payload() = default;
    /// Error: invalid_argument with every fault; never with content.
    [[nodiscard]] static result<mint_payload> parse(std::string_view json);

    std::string key;  ///< the business key: `key`, else "mint:<ticket>:<user>"
    std::string ticket;
    std::string user;
    public_key recipient;
    std::string name;
    std::string symbol;
    std::optional<std::string> uri;
    /// JSON text to upload: the members of `metadata` with name and symbol in front, which readers
    /// of the standard expect there. The same text for the same payload.
    std::string metadata;
};
static_assert(!std::is_aggregate_v<mint_payload>);

}  // namespace libqueue::processors::mint
