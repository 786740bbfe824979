#pragma once

#include "processors/mint/instructions.hpp"
#include "processors/mint/payload.hpp"

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/statement.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

// Calls of the functions in sql/, which say what they do. Pure; any thread.

namespace libqueue::processors::mint {

/// A transaction that was signed and may still land.
class signed_transaction {
   public:
    signed_transaction() = default;
    std::string signature;  ///< base58
    std::uint64_t last_valid_height{0};
    std::string bytes;
};
static_assert(!std::is_aggregate_v<signed_transaction>);

/// What the database knows of a mint.
class mint_record {
   public:
    mint_record() = default;
    /// Error: conflict when the row cannot be read as one.
    [[nodiscard]] static result<mint_record> read(const rows& answer);

    bool minted{false};
    std::string output;       ///< of a minted one: JSON
    std::string fingerprint;  ///< of what was asked for first
    public_key payer;
    std::optional<signed_transaction> under_way;
};
static_assert(!std::is_aggregate_v<mint_record>);

/// Whose and which mint: what every statement names.
class mint_identity {
   public:
    mint_identity(const libqueue::job& job, std::string key_)
        : key{std::move(key_)}, tenant{job.tenant_id}, job_id{job.id}, lease{job.lease} {}
    std::string key;
    std::optional<std::string> tenant;
    libqueue::job_id job_id;
    std::int64_t lease;
};
static_assert(!std::is_aggregate_v<mint_identity>);

[[nodiscard]] statement open_mint(const mint_identity& who, std::string_view strategy,
                                  const std::string& fingerprint, const std::string& payer,
                                  const std::string& address, const std::string& recipient);
[[nodiscard]] statement add_attempt(const mint_identity& who, const public_key& payer,
                                    const signed_transaction& made, std::uint64_t lamports);
/// `state`: expired, failed or refused.
[[nodiscard]] statement end_attempt(const std::string& signature, std::string_view state,
                                    const std::string& error);
[[nodiscard]] statement complete_mint(const mint_identity& who, const std::string& output);
[[nodiscard]] statement fail_mint(const mint_identity& who, const std::string& error);
/// Tells who subscribed to `topic`.
[[nodiscard]] statement publish(const mint_identity& who, std::string_view topic,
                                const std::string& payload);

}  // namespace libqueue::processors::mint
