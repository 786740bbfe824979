-- One job as it stands.
-- $1 bigint id. At most one row, times in microseconds since 1970.
-- Index: job_pkey, attempt_pkey, ready_pkey. Locks: none.
SELECT j.id, j.tenant_id, j.queue, j.kind, j.state, j.priority, j.attempt, j.max_attempts,
       j.payload, j.meta, j.output,
       (extract(epoch FROM j.run_at) * 1000000)::bigint AS run_at,
       (extract(epoch FROM j.created_at) * 1000000)::bigint AS created_at,
       (extract(epoch FROM j.finished_at) * 1000000)::bigint AS finished_at,
       j.last_error
FROM queue.jobs j
WHERE j.id = $1::bigint
