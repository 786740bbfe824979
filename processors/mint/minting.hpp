#pragma once

#include "processors/mint/ledger.hpp"
#include "processors/mint/next_step.hpp"
#include "processors/mint/options.hpp"
#include "processors/mint/payload.hpp"
#include "processors/mint/records.hpp"
#include "processors/mint/rpc.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace libqueue::processors::mint {

/// One run of a job that mints on the chain, ordinary or reconcile: both look first and do what is
/// missing. Lives in the handler's coroutine; loop thread only.
///
/// Look at the address and at what is under way; then, until it is minted: check the wallet, upload
/// the metadata, sign, keep the signed bytes, send them, and look again. Bytes that are kept are
/// sent again, by this run or by the next, until they land or their last block has passed; only
/// then are others signed. A second mint is impossible all the same: the address follows from the
/// business key, and one account is there once.
class minting {
   public:
    /// Both must outlive it.
    minting(const options& with, job_context& context);
    minting(const minting&) = delete;
    minting& operator=(const minting&) = delete;
    ~minting() = default;

    [[nodiscard]] boost::asio::awaitable<outcome> run();

   private:
    using maybe_outcome = std::optional<outcome>;

    [[nodiscard]] boost::asio::awaitable<maybe_outcome> open();
    /// Asks one endpoint for everything, the other one when it does not answer.
    [[nodiscard]] boost::asio::awaitable<rpc_fault> look();
    [[nodiscard]] boost::asio::awaitable<rpc_fault> look_at_one();
    [[nodiscard]] boost::asio::awaitable<maybe_outcome> act(mint_step step);
    [[nodiscard]] boost::asio::awaitable<maybe_outcome> make_transaction();
    [[nodiscard]] boost::asio::awaitable<maybe_outcome> check_wallet();
    [[nodiscard]] boost::asio::awaitable<maybe_outcome> send();
    [[nodiscard]] boost::asio::awaitable<maybe_outcome> wait();
    /// The transaction under way is over, without effect.
    [[nodiscard]] boost::asio::awaitable<maybe_outcome> give_up(std::string_view state,
                                                                std::string why);
    [[nodiscard]] boost::asio::awaitable<outcome> finish();

    [[nodiscard]] outcome too_poor(const std::string& why);
    /// What a fault means when nothing of ours is at risk, and when something may be.
    [[nodiscard]] outcome outcome_of(const rpc_fault& fault);

    const options& with_;
    job_context& context_;
    run_view view_;
    rpc_client node_;
    mint_ledger ledger_;
    std::chrono::steady_clock::time_point leave_at_;
    std::chrono::steady_clock::time_point sent_at_{};
    mint_payload payload_;
    std::optional<mint_identity> who_;
    std::optional<mint_order> order_;
    mint_record record_;
    chain_view seen_;
    std::uint64_t missing_lamports_{0};
    std::uint64_t wallet_lamports_{0};
    bool perhaps_sent_{true};  ///< false only while this run knows that nobody has the bytes
};

}  // namespace libqueue::processors::mint
