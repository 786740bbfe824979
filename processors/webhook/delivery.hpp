#pragma once

#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"
#include "processors/webhook/settings.hpp"

#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace libqueue::processors::webhook {

/// One delivery to the URL of a payload, apart from the engine. `run.executor` is the loop it runs
/// on.
[[nodiscard]] boost::asio::awaitable<outcome> deliver(std::shared_ptr<const settings> with,
                                                      run_view run);

/// What an answer, or the lack of one, means for the job.
[[nodiscard]] outcome outcome_of(const http_response& response, libqueue::stop_reason reason,
                                 std::chrono::system_clock::time_point now);

}  // namespace libqueue::processors::webhook
