#pragma once

#include "processors/analytics/options.hpp"

#include <libqueue/worker.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <vector>

namespace libqueue::processors::analytics {

/// Takes in the events of many jobs: reads them on the worker's loop, giving it a turn after each
/// job, and leaves the counting to one statement in the transaction that finishes them all. A job
/// whose payload does not fit is discarded and its neighbours are counted.
[[nodiscard]] boost::asio::awaitable<batch_outcome> ingest(std::shared_ptr<const options> with,
                                                           std::vector<job_context*> jobs);

}  // namespace libqueue::processors::analytics
