#pragma once

#include "processors/email/options.hpp"

#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::email {

/// The schemas `contacts` and `mail`, for `worker_options::migration_sets`.
[[nodiscard]] std::vector<libqueue::migration_set> migration_sets();

/// The kind `email.send`: hands one mail to the configured SMTP server.
///
/// Runs on the worker's thread pool (see `smtp_client` for why). Output of a mail that was taken:
///   {"message_id":"<...>","accepted":["a***@b.c"],
///    "rejected":[{"address":"d***@e.f","status":"5.1.1","reply":"550 5.1.1 ..."}],
///    "reply":"250 ...","not_sent":[{"address":"g***@h.i","reason":"off"}]}
/// and of one that nobody may get: {"skipped":"suppressed"}.
/// Refusals of everybody: 4yz retry, 5yz and a refused login discard; no connection retries. What a
/// refusal of some means stands at `mail_run`.
/// At least once: when the link is lost between the final dot and the answer, the mail is sent
/// again with the same Message-ID (`on_unknown: retry`). Under `park` an effect named `send` is
/// begun before and ended after: a job in doubt becomes a dead letter until a person has resolved
/// the effect (`qctl jobs resolve`).
/// Defaults of the kind: 4 attempts on the email backoff, timeout as in the options plus 5 s.
/// Throws std::invalid_argument naming the faults of the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

}  // namespace libqueue::processors::email
