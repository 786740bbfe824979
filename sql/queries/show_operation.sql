-- One operation. $1 bigint id. At most one row: the columns of queue.operations.
-- Index: operation_pkey. Locks: none.
SELECT o.id, o.tenant_id, o.actor, o.action, o.filter, o.reason, o.rate, o.state, o.matched,
       o.matched_exact, o.done, o.skipped, o.failed, o.last_error, o.created_at, o.starts_at,
       o.started_at, o.finished_at, o.cancelled_by
FROM queue.operations o
WHERE o.id = $1::bigint
