#pragma once

#include "processors/analytics/options.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace libqueue::processors::analytics {

/// `analytics.slack`: posts {"text": "..."} (at most 4,000 bytes) to the incoming webhook of the
/// options, which is what an alert rule can name as its action. At least once: Slack knows no keys,
/// so a message whose answer is lost is posted again.
///   2xx completed · 429 retry when Retry-After says so, for all workers where the kind has a limit
///   · other 4xx discard (an address that was revoked, a text it does not take) · 5xx, no answer,
///   408: retry
[[nodiscard]] boost::asio::awaitable<outcome> post_to_slack(std::shared_ptr<const options> with,
                                                            job_context& context);

}  // namespace libqueue::processors::analytics
