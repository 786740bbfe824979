-- Publishes a kind's defaults for SQL enqueuers and rescuers; writes only what changed.
-- $1 text name  $2 text queue  $3 int priority  $4 int max attempts  $5 int crash budget
-- $6 text on_lost
-- Index: kind_pkey. Locks: the row, only when it changes.
INSERT INTO queue.kind AS k (name, queue, priority, max_attempts, crash_budget, on_lost)
VALUES ($1::text, $2::text, $3::int, $4::int, $5::int, $6::text)
ON CONFLICT (name) DO UPDATE
SET queue = excluded.queue, priority = excluded.priority, max_attempts = excluded.max_attempts,
    crash_budget = excluded.crash_budget, on_lost = excluded.on_lost,
    updated_at = clock_timestamp()
WHERE (k.queue, k.priority, k.max_attempts, k.crash_budget, k.on_lost)
      IS DISTINCT FROM (excluded.queue, excluded.priority, excluded.max_attempts,
                        excluded.crash_budget, excluded.on_lost)
