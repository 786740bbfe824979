-- Batches, newest first. $1 text name, exact or prefix ending in *  $2 uuid tenant_id
-- $3 boolean only those that have not ended  $4 bigint below this id  $5 int limit. NULL does not
-- restrict, but $3 and $5 are required.
-- Index: batch_pkey, batch_tally_batch_id_idx. Locks: none.
SELECT b.id, b.name, b.tenant_id, b.state, b.total, b.processed, b.succeeded, b.failed, b.cancelled,
       b.pending, b.sealed, b.cancelling, b.created_at, b.sealed_at, b.finished_at, b.cancelled_at,
       b.cancel_reason, b.on_success, b.on_success_job_id, b.on_failure, b.on_failure_job_id,
       b.on_finish, b.on_finish_job_id, b.callback_queue, b.callback_priority, b.callback_error,
       b.payload, b.expires_at
FROM queue.batches b
WHERE ($1::text IS NULL OR b.name = $1::text
       OR (right($1::text, 1) = '*' AND starts_with(b.name, left($1::text, -1))))
  AND ($2::uuid IS NULL OR b.tenant_id = $2::uuid)
  AND (NOT $3::boolean OR b.finished_at IS NULL)
  AND ($4::bigint IS NULL OR b.id < $4::bigint)
ORDER BY b.id DESC
LIMIT $5::int
