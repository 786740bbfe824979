#pragma once

#include "processors/webhook/options.hpp"

#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::webhook {

/// The kind `webhook.deliver`: one signed HTTPS POST (Standard Webhooks) per attempt.
///
/// At least once: a reply that is lost is a failed attempt, and the next one carries the same
/// `webhook-id` and the same body, so receivers deduplicate by id.
///   2xx completed with {"status":200,"duration_ms":12} · 429, 502, 503, 504 retry, when
///   Retry-After says if it does · 410 and other 4xx discard (408 and 425 retry) · 3xx, 5xx, no
///   answer: retry · forbidden address or URL: discard
/// Defaults of the kind: 5 attempts on the webhook backoff, timeout as in the options plus 5 s.
/// Throws std::invalid_argument naming the fault of the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

}  // namespace libqueue::processors::webhook
