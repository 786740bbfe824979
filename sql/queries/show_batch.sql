-- One batch. $1 bigint batch. At most one row, as list_batches.
-- Index: batch_pkey, batch_tally_batch_id_idx. Locks: none.
SELECT b.id, b.name, b.tenant_id, b.state, b.total, b.processed, b.succeeded, b.failed, b.cancelled,
       b.pending, b.sealed, b.cancelling, b.created_at, b.sealed_at, b.finished_at, b.cancelled_at,
       b.cancel_reason, b.on_success, b.on_success_job_id, b.on_failure, b.on_failure_job_id,
       b.on_finish, b.on_finish_job_id, b.callback_queue, b.callback_priority, b.callback_error,
       b.payload, b.expires_at
FROM queue.batches b
WHERE b.id = $1::bigint
