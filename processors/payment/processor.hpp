#pragma once

#include "processors/payment/options.hpp"

#include <libqueue/limit_options.hpp>
#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::payment {

/// The kinds payment.process, payment.retry, payment.capture, refund.process, refund.full and
/// refund.partial, at one provider: one schema and one ledger serve both, because what may be given
/// back is decided by what was taken.
///
/// Exactly once per job, by the effects ledger, the provider's idempotency keys and what it says
/// when asked; see docs/processors/payment.md. Needs the tables of `migrations()`.
/// Defaults of the kinds: 6 attempts on the payment backoff, reconcile when a worker is lost,
/// timeout as in the options plus 10 s.
/// Throws std::invalid_argument naming the fault of the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

/// Schema `payments`; for `worker_options::migration_sets`.
[[nodiscard]] libqueue::migration_set migrations();

/// The figures of the provider's limit, for whoever has none: `stripe` 25 at once, 5/s, 10 running;
/// `internal` 100, 50/s, 50 running; each with a circuit breaker. Its name is the provider's.
[[nodiscard]] libqueue::limit_options default_limit(provider_kind provider);

}  // namespace libqueue::processors::payment
