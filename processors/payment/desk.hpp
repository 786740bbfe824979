#pragma once

#include "processors/payment/books.hpp"
#include "processors/payment/options.hpp"
#include "processors/payment/payload.hpp"
#include "processors/payment/provider.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace libqueue::processors::payment {

/// What the runs of a worker share. Immutable.
class desk {
   public:
    /// Throws std::invalid_argument naming the fault.
    explicit desk(options given_);

    options given;
    std::unique_ptr<const provider> at;
};

/// The run as the coroutines below use it. A reconcile run is not stopped by a cancel or by a
/// worker that leaves: as long as nobody knows whether the money has moved, finding out is all it
/// does.
[[nodiscard]] run_view view_of(job_context& context);

// The kinds, apart from their registration; run as ordinary and as reconcile runs alike, because
// the ledger says in either what is known. `context` and `with` must stay until they return.

[[nodiscard]] boost::asio::awaitable<outcome> process_payment(job_context& context,
                                                              std::shared_ptr<const desk> with);
[[nodiscard]] boost::asio::awaitable<outcome> retry_payment(job_context& context,
                                                            std::shared_ptr<const desk> with);
[[nodiscard]] boost::asio::awaitable<outcome> capture_payment(job_context& context,
                                                              std::shared_ptr<const desk> with);
[[nodiscard]] boost::asio::awaitable<outcome> refund_payment(job_context& context,
                                                             std::shared_ptr<const desk> with,
                                                             refund_mode mode);

}  // namespace libqueue::processors::payment
