-- Claims the right to rescue a worker, if its beat has not moved since we judged it dead.
-- $1 bigint worker  $2 bigint beats. Rows: id, or none. Locks: the worker row, SKIP LOCKED.
-- Index: worker_pkey.
SELECT w.id
FROM queue.worker w
WHERE w.id = $1::bigint AND w.beats = $2::bigint
FOR UPDATE SKIP LOCKED
