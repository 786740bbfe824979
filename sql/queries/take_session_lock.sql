-- Holds the worker's session advisory lock while this connection lives: others see a dead process
-- within a beat instead of a lease. $1 bigint worker. Rows: whether taken.
-- Index: worker_pkey. Locks: the worker row, and the advisory lock for the session.
UPDATE queue.worker w
SET session_lock = pg_try_advisory_lock(hashtextextended('queue.worker', $1::bigint))
WHERE w.id = $1::bigint
RETURNING w.session_lock
