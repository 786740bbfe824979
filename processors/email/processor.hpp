#pragma once

#include "processors/email/options.hpp"

#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::email {

/// The kind `email.send`: hands one mail to the configured SMTP server.
///
/// Runs on the worker's thread pool (see `smtp_client` for why). Output of a mail that was taken:
///   {"message_id":"<...>","accepted":["a@b.c"],"rejected":[{"address":..,"reply":..}],
///    "reply":"250 ..."}
/// A mail taken for some recipients is completed: sending it again would reach those twice. 4yz
/// retry, 5yz and a refused login discard, no connection retry.
/// At least once: when the link is lost between the final dot and the answer, the mail is sent
/// again with the same Message-ID (`on_unknown: retry`), or parked (`park`, which then also holds
/// the job when its worker dies).
/// Defaults of the kind: 4 attempts on the email backoff, timeout as in the options plus 5 s.
/// Throws std::invalid_argument naming the faults of the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

}  // namespace libqueue::processors::email
