-- Everything about one job. $1 bigint id. At most one row: the columns of queue.jobs, tags,
-- follows_from (the job it follows, replays or is a clone of), progress, progress_message,
-- cancel_requested_at, fingerprint (of a dead letter). Of a job that is gone what its dead letter
-- tells. Index: job_pkey, attempt_pkey, ready_pkey, dead_letter_pkey. Locks: none.
SELECT i.id, coalesce(j.tenant_id, d.tenant_id) AS tenant_id, coalesce(j.queue, d.queue) AS queue,
       coalesce(j.kind, d.kind) AS kind, coalesce(j.state, 'dead') AS state,
       coalesce(j.priority, d.priority)::integer AS priority,
       coalesce(j.attempt, d.attempt)::integer AS attempt,
       coalesce(j.max_attempts, d.max_attempts)::integer AS max_attempts,
       coalesce(j.run_at, d.created_at) AS run_at,
       coalesce(j.created_at, d.created_at) AS created_at,
       coalesce(j.finished_at, d.died_at) AS finished_at,
       coalesce(j.last_error, d.error) AS last_error,
       coalesce(j.meta, d.meta) -> 'tags' AS tags, j.batch_id,
       coalesce(j.meta ->> 'follows', j.meta ->> 'replay_of', j.meta ->> 'clone_of')
           AS follows_from,
       p.fraction AS progress, p.message AS progress_message, c.requested_at AS cancel_requested_at,
       d.fingerprint, coalesce(j.payload, d.payload) AS payload, j.output,
       coalesce(j.meta, d.meta) AS meta
FROM (SELECT $1::bigint AS id) i
LEFT JOIN queue.jobs j ON j.id = i.id
LEFT JOIN queue.dead_letter d ON d.job_id = i.id
LEFT JOIN queue.progress p ON p.job_id = i.id
LEFT JOIN queue.cancel_request c ON c.job_id = i.id
WHERE j.id IS NOT NULL OR d.job_id IS NOT NULL
