-- Ends leases all of whose jobs are recorded.
-- $1 bigint worker  $2 bigint[] leases. Index: lease_pkey.
-- Locks: the leases.
-- + 0: see finish_completed.
DELETE FROM queue.lease s WHERE s.id = ANY ($2::bigint[]) AND s.worker_id + 0 = $1::bigint
