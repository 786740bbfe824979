#pragma once

#include <libqueue/job_context.hpp>
#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

namespace libqueue::processors::analytics {

// What is computed by SQL from what was counted. Each may run again at any time: it puts the same
// rows in place of those of before.

/// `analytics.scores`: of the job's tenant, or with {"tenants": "all"} a job for each tenant.
[[nodiscard]] boost::asio::awaitable<outcome> compute_scores(job_context& context);
/// `analytics.attribution`: the same of the purchases of the latest {"days": 3} days (UTC), today
/// included; a day per statement.
[[nodiscard]] boost::asio::awaitable<outcome> attribute(job_context& context);
/// `analytics.alerts`: evaluates the rules of the job's tenant, or of all, in the transaction of
/// the finish, so that an alert fires once.
[[nodiscard]] boost::asio::awaitable<outcome> check_alerts(job_context& context);
/// `analytics.prune`: until nothing is left to remove.
[[nodiscard]] boost::asio::awaitable<outcome> prune(job_context& context);

}  // namespace libqueue::processors::analytics
