-- Ends a worker that left in good order. Its leases, if any, are found by the rescuers because
-- their worker is gone. $1 bigint worker.
-- Index: worker_pkey. Locks: the worker row.
DELETE FROM queue.worker w WHERE w.id = $1::bigint
