#pragma once

#include "processors/webhook/options.hpp"

#include <libqueue/migrate.hpp>
#include <libqueue/worker.hpp>

#include <vector>

namespace libqueue::processors::webhook {

/// `webhook.deliver`: one signed HTTPS POST (Standard Webhooks) to the URL of the payload.
///
/// At least once: a reply that is lost is a failed attempt, and the next one carries the same
/// `webhook-id` and the same body, so receivers deduplicate by id.
///   2xx completed with {"status":200,"duration_ms":12} · 429, 502, 503, 504 retry, when
///   Retry-After says if it does · 410 and other 4xx discard (408 and 425 retry) · 3xx, 5xx, no
///   answer: retry · forbidden address or URL: discard
/// Defaults of the kind: 5 attempts on the webhook backoff, timeout as in the options plus 5 s.
///
/// With a master key also, on the tables of `migrations()`:
///   `webhook.event`    one event to one endpoint: its waits, its log, its circuit
///   `webhook.publish`  an event to all endpoints that hear it
///   `webhook.prune`    old events and log; a schedule of the migrations enqueues it
/// docs/processors/webhook.md has the whole of it. Throws std::invalid_argument naming the fault of
/// the options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations(options given);

/// Endpoints, events and the delivery log: the schema `webhooks`.
[[nodiscard]] libqueue::migration_set migrations();

}  // namespace libqueue::processors::webhook
