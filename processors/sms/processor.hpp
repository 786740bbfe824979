#pragma once

#include "processors/sms/options.hpp"

#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::sms {

/// The schema `contacts`, for `worker_options::migration_sets`.
[[nodiscard]] std::vector<libqueue::migration_set> migration_sets();

/// The kind `sms.send`: one short message through the provider's API.
///
/// The provider's POST is not idempotent, so an effect named `send` of the ledger is begun before
/// and ended after it: at most one message per job, unless a person resolves the effect otherwise.
/// In doubt the job becomes a dead letter (`park`), or a reconcile run looks for the message in the
/// provider's list (`look_up`).
/// Output: {"sid":"SM...","status":"queued","segments":1,"to":"+43***67"}, or {"skipped":"off"}.
/// 429 and 503 retry, other refusals discard; numbers that do not exist or said stop are
/// suppressed. Defaults of the kind: 4 attempts on the email backoff, timeout as in the options
/// plus 5 s. Throws std::invalid_argument naming the faults of the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

}  // namespace libqueue::processors::sms
