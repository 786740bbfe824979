#pragma once

#include "processors/mint/payload.hpp"
#include "processors/mint/records.hpp"

#include <libqueue/outcome.hpp>

#include <string>
#include <string_view>

// What both strategies say in the end. Pure.

namespace libqueue::processors::mint {

inline constexpr std::string_view key_reused =
    "business key: has been used for another recipient, name or metadata";

/// SHA-256 of what is to be minted for whom: two jobs of one key must agree in it.
[[nodiscard]] std::string fingerprint_of(const mint_payload& payload);

/// Completed, with the record and `mint.completed` in the same transaction.
[[nodiscard]] outcome minted(const mint_identity& who, const mint_payload& payload,
                             std::string output);

/// Discarded, with the record and `mint.failed` in the same transaction.
[[nodiscard]] outcome given_up(const mint_identity& who, const std::string& why);

}  // namespace libqueue::processors::mint
