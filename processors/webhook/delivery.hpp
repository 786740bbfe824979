#pragma once

#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"
#include "processors/webhook/options.hpp"

#include <libqueue/outcome.hpp>
#include <libqueue/webhook.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <vector>

namespace libqueue::processors::webhook {

/// Options as the handler uses them: keys decoded once, at start.
class settings {
   public:
    /// Throws std::invalid_argument naming the fault.
    explicit settings(options given);

    options given;
    std::vector<libqueue::webhook::key> keys;
};

/// One delivery, apart from the engine. `run.executor` is the loop it runs on.
[[nodiscard]] boost::asio::awaitable<outcome> deliver(std::shared_ptr<const settings> with,
                                                      run_view run);

/// What an answer, or the lack of one, means for the job.
[[nodiscard]] outcome outcome_of(const http_response& response, libqueue::stop_reason reason,
                                 std::chrono::system_clock::time_point now);

}  // namespace libqueue::processors::webhook
