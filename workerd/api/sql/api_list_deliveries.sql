-- The delivery log, newest first, without what was sent and answered. $1 bigint endpoint or NULL,
-- $2 text outcome or NULL, $3 uuid tenant or NULL, $4 timestamptz before or NULL, $5 int most,
-- $6 bigint job and $7 int attempt of the one at $4: several may be of one moment.
-- Index: the log's by time. Locks: none.
SELECT d.at, d.endpoint_id, d.tenant_id, d.event_id, d.type, d.attempt, d.outcome, d.status,
       d.duration_ms, d.request_bytes, d.next_at, d.job_id
FROM webhooks.deliveries d
WHERE ($1::bigint IS NULL OR d.endpoint_id = $1::bigint)
  AND ($2::text IS NULL OR d.outcome = $2::text)
  AND ($3::uuid IS NULL OR d.tenant_id = $3::uuid)
  AND ($4::timestamptz IS NULL OR (d.at, d.job_id, d.attempt)
                                   < ($4::timestamptz, $6::bigint, $7::int))
ORDER BY d.at DESC, d.job_id DESC, d.attempt DESC
LIMIT $5::int
