#pragma once

#include "processors/mint/ledger.hpp"
#include "processors/mint/options.hpp"
#include "processors/mint/payload.hpp"
#include "processors/mint/records.hpp"
#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace libqueue::processors::mint {

/// What the service says of a ticket.
enum class service_word {
    minted,
    under_way,
    failed,   ///< it has given up; asking again may start anew
    unheard,  ///< 404: it knows nothing of the ticket
    refused,  ///< it will never mint this
    unknown,  ///< no answer, or one that says none of these
};

class service_answer {
   public:
    service_answer() = default;
    service_word word{service_word::unknown};
    std::string text;    ///< for people
    std::string output;  ///< of a minted one: JSON for the job
};
static_assert(!std::is_aggregate_v<service_answer>);

/// One run of a job that asks the internal minting service, ordinary or reconcile:
///
///   GET  {service_url}/api/v1/internal/mint/{ticket}/status
///   POST {service_url}/api/v1/internal/mint
///        {"ticketId", "userId", "recipient", "name", "symbol", "uri" or "metadata",
///         "idempotencyKey"}, header idempotency-key
///
/// Answered with {"status": "completed" | "pending" | "processing" | "failed", "address",
/// "signature"}. Calls are signed (internal_auth.hpp). It asks for the status first, posts when the
/// service has not heard of the ticket, and then asks until it is minted. The service must treat
/// posts of one key as one. Lives in the handler's coroutine; loop thread only.
class service_minting {
   public:
    /// Both must outlive it.
    service_minting(const options& with, job_context& context);
    service_minting(const service_minting&) = delete;
    service_minting& operator=(const service_minting&) = delete;
    ~service_minting() = default;

    [[nodiscard]] boost::asio::awaitable<outcome> run();

   private:
    using maybe_outcome = std::optional<outcome>;

    [[nodiscard]] boost::asio::awaitable<maybe_outcome> open();
    [[nodiscard]] boost::asio::awaitable<service_answer> ask(std::string method, std::string path,
                                                             std::string body);
    [[nodiscard]] boost::asio::awaitable<maybe_outcome> post();
    [[nodiscard]] boost::asio::awaitable<outcome> finish(std::string output);
    [[nodiscard]] std::string body() const;
    [[nodiscard]] outcome leave(const std::string& why);

    const options& with_;
    job_context& context_;
    run_view view_;
    mint_ledger ledger_;
    std::chrono::steady_clock::time_point leave_at_;
    mint_payload payload_;
    std::optional<mint_identity> who_;
};

/// What an answer means. Pure.
[[nodiscard]] service_answer read_service_answer(const http_response& response);

}  // namespace libqueue::processors::mint
