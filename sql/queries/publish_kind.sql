-- Publishes a kind's defaults for SQL enqueuers, rescuers and retention; writes only what changed.
-- $1 text name  $2 text queue  $3 int priority  $4 int max attempts  $5 int crash budget
-- $6 text on_lost  $7 bigint retention in ms (NULL: as it is, at first the queue's)
-- $8 boolean encrypted (false: as it is. A worker of an older configuration must not open the door
-- for plaintext again: queue.set_encrypted does.)
-- Index: kind_pkey. Locks: the row, only when it changes.
INSERT INTO queue.kind AS k (name, queue, priority, max_attempts, crash_budget, on_lost, retention,
                             encrypted)
VALUES ($1::text, $2::text, $3::int, $4::int, $5::int, $6::text,
        $7::bigint * interval '1 millisecond', $8::boolean)
ON CONFLICT (name) DO UPDATE
SET queue = excluded.queue, priority = excluded.priority, max_attempts = excluded.max_attempts,
    crash_budget = excluded.crash_budget, on_lost = excluded.on_lost,
    retention = coalesce(excluded.retention, k.retention),
    encrypted = k.encrypted OR excluded.encrypted, updated_at = clock_timestamp()
WHERE (k.queue, k.priority, k.max_attempts, k.crash_budget, k.on_lost, k.retention, k.encrypted)
      IS DISTINCT FROM (excluded.queue, excluded.priority, excluded.max_attempts,
                        excluded.crash_budget, excluded.on_lost,
                        coalesce(excluded.retention, k.retention),
                        k.encrypted OR excluded.encrypted)
