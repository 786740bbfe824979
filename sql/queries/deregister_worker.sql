-- Ends a worker: one that left in good order, or one that was declared dead. Its leases, if any,
-- are found by the rescuers because their worker is gone; what it held of limits is free at once.
-- $1 bigint worker.
-- Index: worker_pkey, limit_slot_pkey. Locks: the worker row, its slots.
WITH freed AS (DELETE FROM queue.limit_slot s WHERE s.worker_id = $1::bigint)
DELETE FROM queue.worker w WHERE w.id = $1::bigint
