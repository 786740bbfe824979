-- Locks leases of a dead worker; from here on none of its finishes is accepted.
-- $1 bigint worker  $2 int most. Rows: id. Index: lease_worker_idx.
SELECT s.id
FROM queue.lease s
WHERE s.worker_id = $1::bigint
ORDER BY s.id
LIMIT $2::int
FOR UPDATE SKIP LOCKED
