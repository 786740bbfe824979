#pragma once

#include "processors/analytics/options.hpp"

#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::analytics {

/// Counts what happens: events become buckets of 1 minute, 5 minutes, an hour and a day, scores of
/// customers, credits of channels, and alerts (docs/processors/analytics.md).
///
///   analytics.event, analytics.batch  take events in (event.hpp), many jobs with one statement
///   analytics.scores                  recency, frequency, money; segment, churn, lifetime value
///   analytics.attribution             purchases by channel, five models
///   analytics.alerts                  evaluates the alert rules
///   analytics.prune                   removes what is no longer kept
///   analytics.slack                   posts a text to Slack, when the options have its address
///
/// An event is counted exactly once: it is stored and counted in the transaction that finishes its
/// job, and one whose key is known is not counted again, in whichever job it comes.
/// Needs `migrations()` among the worker's `migration_sets`; the last of them sets the schedules
/// of the last four kinds.
/// Throws std::invalid_argument naming the fault of the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

/// The tables and functions, in the schema `analytics`.
[[nodiscard]] libqueue::migration_set migrations();

}  // namespace libqueue::processors::analytics
