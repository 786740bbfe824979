-- Deletes idempotency keys past their time to live, oldest first.
-- $1 int time limit in ms  $2 int rows per step
-- One row: keys deleted, round_over (no more are due; false when another worker is at it).
-- Index: idempotency_expires_at_idx. Locks: the row of retention_walk, the keys, SKIP LOCKED.
SELECT p.keys, p.round_over
FROM queue.prune_keys(NULL, $1::int * interval '1 millisecond', $2::int) p
