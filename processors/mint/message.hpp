#pragma once

#include "processors/mint/public_key.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Solana's wire format. Pure; any thread.

namespace libqueue::processors::mint {

/// What an instruction may do with an account.
class account_use {
   public:
    account_use(const public_key& key_, bool signs_, bool writes_)
        : key{key_}, signs{signs_}, writes{writes_} {}
    public_key key;
    bool signs;
    bool writes;
};

/// One call of a program.
class instruction {
   public:
    instruction(const public_key& program_, std::vector<account_use> accounts_, std::string data_)
        : program{program_}, accounts{std::move(accounts_)}, data{std::move(data_)} {}
    public_key program;
    std::vector<account_use> accounts;
    std::string data;
};
static_assert(!std::is_aggregate_v<instruction>);

/// compact-u16, "shortvec": seven bits per byte, least significant first. `value` < 65536.
[[nodiscard]] std::string shortvec(std::size_t value);
/// `width` bytes, least significant first.
[[nodiscard]] std::string little_endian(std::uint64_t value, std::size_t width);

/// The bytes that are signed: a legacy message (no version byte, no lookup tables; nothing here has
/// so many accounts that a table would pay). `payer` pays the fee and signs first. Accounts are
/// listed once, with the most any instruction asks of them, in the order the format demands:
/// signers before others and, in each, writable before read-only; else by first use.
/// At most 255 accounts, which callers stay far below.
[[nodiscard]] std::string encode_message(const public_key& payer,
                                         const std::vector<instruction>& instructions,
                                         const public_key& blockhash);

/// A transaction with one signature of 64 bytes.
[[nodiscard]] std::string encode_transaction(std::string_view signature, std::string_view message);

/// What a node accepts at most: an IPv6 packet of 1,280 bytes less its headers.
inline constexpr std::size_t longest_transaction = 1232;

}  // namespace libqueue::processors::mint
