#pragma once

#include "processors/support/run_view.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace libqueue::processors::webhook {

/// `webhook.publish`: publishes an event of the job's tenant in the transaction that completes the
/// job. The payload is {"event": "order.paid", "data": {...}, "event_id": "..."}; without the id it
/// is one of the job's own, the same on every attempt. A job that a subscription to a topic made
/// has the event's type and id in its meta, and the payload is the data.
[[nodiscard]] outcome publish_event(const run_view& run);

/// `webhook.prune`: removes events and log older than `keep`, in portions of a transaction each.
/// Completes with {"removed": n}.
[[nodiscard]] boost::asio::awaitable<outcome> prune_log(job_context& context,
                                                        std::chrono::hours keep);

}  // namespace libqueue::processors::webhook
