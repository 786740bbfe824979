-- Operations, newest first. $1 boolean only those that have not ended  $2 bigint below this id, or
-- NULL  $3 integer limit. Rows: the columns of queue.operations. Index: operation_pkey.
-- Locks: none.
SELECT o.id, o.tenant_id, o.actor, o.action, o.filter, o.reason, o.rate, o.state, o.matched,
       o.matched_exact, o.done, o.skipped, o.failed, o.last_error, o.created_at, o.starts_at,
       o.started_at, o.finished_at, o.cancelled_by
FROM queue.operations o
WHERE (NOT $1::boolean OR o.finished_at IS NULL) AND ($2::bigint IS NULL OR o.id < $2::bigint)
ORDER BY o.id DESC
LIMIT $3::integer
