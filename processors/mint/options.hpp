#pragma once

#include "processors/mint/signing_key.hpp"
#include "processors/support/internal_auth.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace libqueue::processors::mint {

/// How sure a result must be before the job is completed.
enum class commitment {
    confirmed,  ///< voted for by two thirds of the stake; a second or two
    finalized,  ///< 31 blocks deeper, never rolled back so far; about 13 s
};

/// Either the chain itself (`endpoints`, `key`) or a service that mints (`service_url`, `signer`).
class options {
   public:
    options() = default;

    /// JSON-RPC endpoints of one cluster, one or two: the second is asked when the first does not
    /// answer or asks to be left alone.
    std::vector<std::string> endpoints;
    std::shared_ptr<const signing_key> key;  ///< of the wallet that pays and mints

    /// Of the internal minting service, without the path: "https://mint.internal".
    std::string service_url;
    std::shared_ptr<const internal_signer> signer;  ///< proves to the service who calls
    mint::commitment commitment{commitment::confirmed};

    /// Where metadata is PUT, as `<metadata_url><sha256 of it>.json`. Empty: every payload brings
    /// its own `uri`.
    std::string metadata_url;
    std::string metadata_uri;  ///< the same as readers find it; empty: `metadata_url`

    /// Lamports the wallet must keep after a mint, or nothing is sent.
    std::uint64_t least_balance{1'000'000};
    std::uint64_t warn_balance{10'000'000};  ///< below this (0.01 SOL) each run logs a warning
    std::uint32_t compute_units{200'000};    ///< asked for per transaction
    std::uint64_t compute_price{0};          ///< micro-lamports per unit

    std::chrono::milliseconds rpc_timeout{5'000};  ///< of one request, to the service too
    std::chrono::milliseconds poll_interval{1'000};
    std::chrono::milliseconds resend_interval{2'000};
    /// How long a run stays with a transaction that is under way before it gives its slot back.
    std::chrono::milliseconds confirm_wait{30'000};
    /// Until a run looks again that has to find out what became of an earlier one.
    std::chrono::milliseconds look_again{5'000};
    std::chrono::milliseconds low_balance_wait{60'000};  ///< until a poor wallet is looked at again

    std::filesystem::path ca_file;  ///< instead of the system's certificates
    bool allow_http{false};         ///< endpoints may be http:// too
};
static_assert(!std::is_aggregate_v<options>);

/// Throws std::invalid_argument naming the first fault.
void check(const options& given);

}  // namespace libqueue::processors::mint
