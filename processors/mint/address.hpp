#pragma once

#include "processors/mint/public_key.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

// Addresses that are computed and not drawn: the reason why a second mint is impossible. Pure; any
// thread. SHA-256 and big numbers are OpenSSL's, which throws std::runtime_error out of memory.

namespace libqueue::processors::mint {

/// 32 raw bytes.
[[nodiscard]] std::string sha256(std::string_view text);

/// Solana's CreateWithSeed address: SHA-256(base || seed || owner). Only who holds the key of
/// `base` can put something there. `seed` has at most 32 bytes.
[[nodiscard]] public_key address_with_seed(const public_key& base, std::string_view seed,
                                           const public_key& owner);

/// Whether the 32 bytes are a compressed point of edwards25519, in the sense of Solana's runtime:
/// y is taken modulo p, and x^2 = (y^2 - 1) / (d y^2 + 1) has a root. Points outside the main
/// subgroup count as well, which is why libsodium's check does not fit.
[[nodiscard]] bool is_on_curve(const public_key& key);

/// A program's own address: the first of SHA-256(seeds || bump || program ||
/// "ProgramDerivedAddress"), bump from 255 down, that is not on the curve, so that nobody has a key
/// for it. Throws std::runtime_error when none of the 256 is, which nobody has ever seen.
[[nodiscard]] public_key program_address(std::initializer_list<std::string_view> seeds,
                                         const public_key& program);

/// Where `wallet` keeps its tokens of `mint`: the associated token account under Token-2022.
[[nodiscard]] public_key associated_token_address(const public_key& wallet, const public_key& mint);

/// What identifies a mint on the chain: the first 32 hexadecimal digits of SHA-256(business key),
/// with the tenant and a newline before it when there is one, so that tenants do not meet.
[[nodiscard]] std::string seed_of(std::string_view tenant, std::string_view business_key);

}  // namespace libqueue::processors::mint
