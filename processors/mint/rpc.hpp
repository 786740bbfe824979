#pragma once

#include "processors/mint/mint_account.hpp"
#include "processors/mint/options.hpp"
#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace libqueue::processors::mint {

/// Why a request to a node gave nothing.
class rpc_fault {
   public:
    enum class type {
        none,
        unreachable,  ///< no answer, 5xx, or an answer that is none; it may have been heard
        throttled,    ///< 429: `wait` says for how long, if the node did
        behind,       ///< -32005 and its like: the node is not up to date
        rejected,     ///< sendTransaction: simulated and refused; `transaction_error` says why
        refused,      ///< 4xx or another error: the same request would be refused again
        stopped,      ///< the run was asked to stop
    };

    rpc_fault() = default;
    rpc_fault(type what_, std::string text_) : what{what_}, text{std::move(text_)} {}

    type what{type::none};
    std::string text;  ///< for people: method, endpoint's number and code
    std::optional<std::chrono::milliseconds> wait;
    std::string transaction_error;  ///< JSON, as Solana writes TransactionError
};
static_assert(!std::is_aggregate_v<rpc_fault>);

/// A value, or why there is none.
template <typename T>
class rpc_answer {
   public:
    rpc_answer() = default;
    explicit rpc_answer(T value_) : value{std::move(value_)} {}
    explicit rpc_answer(rpc_fault fault_) : fault{std::move(fault_)} {}
    [[nodiscard]] explicit operator bool() const noexcept { return value.has_value(); }

    std::optional<T> value;
    rpc_fault fault;
};

class recent_blockhash {
   public:
    public_key blockhash;
    std::uint64_t last_valid_height{0};  ///< the last block a transaction with it can be in
};

/// What became of a transaction, as far as the node knows.
class transaction_status {
   public:
    transaction_status() = default;
    bool known{false};    ///< false: never seen, which is not the same as failed
    bool settled{false};  ///< at the commitment asked for
    std::string error;    ///< JSON of the TransactionError; empty: it succeeded
};
static_assert(!std::is_aggregate_v<transaction_status>);

/// JSON-RPC to one of the endpoints. Coroutines of the worker's loop; one request at a time. It
/// refers to options and run, which must outlive it. Each request is reported to the limits of the
/// job: answers as well, whatever they say of the transaction; no answer and 5xx as failed; 429 and
/// nodes that are behind as throttled.
class rpc_client {
   public:
    rpc_client(const options& with, const run_view& run) : with_{with}, run_{run} {}

    /// From the next request on the other endpoint, if there is one.
    void use_other_endpoint() noexcept { endpoint_ = (endpoint_ + 1) % with_.endpoints.size(); }
    [[nodiscard]] bool has_other_endpoint() const noexcept { return with_.endpoints.size() > 1; }

    [[nodiscard]] boost::asio::awaitable<rpc_answer<std::uint64_t>> balance(public_key wallet);
    [[nodiscard]] boost::asio::awaitable<rpc_answer<std::uint64_t>> rent(std::size_t bytes);
    [[nodiscard]] boost::asio::awaitable<rpc_answer<std::uint64_t>> block_height();
    [[nodiscard]] boost::asio::awaitable<rpc_answer<recent_blockhash>> latest_blockhash();
    /// Nothing in the answer: there is no account.
    [[nodiscard]] boost::asio::awaitable<rpc_answer<std::optional<account>>> account_at(
        public_key address);
    /// Searches the node's history too, so that a status of hours ago is found.
    [[nodiscard]] boost::asio::awaitable<rpc_answer<transaction_status>> status(
        std::string signature);
    /// With preflight and without the node's own retries: who resends is us. The signature.
    [[nodiscard]] boost::asio::awaitable<rpc_answer<std::string>> send(std::string transaction);

   private:
    [[nodiscard]] boost::asio::awaitable<rpc_answer<boost::json::value>> call(
        std::string method, std::string parameters);
    [[nodiscard]] std::string_view commitment_name() const noexcept;

    const options& with_;
    const run_view& run_;
    std::size_t endpoint_{0};
    int id_{0};
};

}  // namespace libqueue::processors::mint
