-- Jobs in any state, newest first: walks the facts backwards until enough match. For the states
-- waiting, running and dead alone there are cheaper statements (list_waiting_jobs and siblings).
-- $1 text[] states  $2 text queue  $3 text kind, exact or prefix ending in *  $4 uuid tenant_id
-- $5 text tag  $6 timestamptz created at or after  $7 bigint below this id  $8 integer limit
-- NULL does not restrict, but limit is required.
-- Rows: id, tenant_id, queue, kind, state, priority, attempt, max_attempts, run_at, created_at,
-- finished_at, last_error, tags. Index: job_pkey backwards. Locks: none.
SELECT j.id, j.tenant_id, j.queue, j.kind, j.state, j.priority, j.attempt, j.max_attempts,
       j.run_at, j.created_at, j.finished_at, j.last_error, j.meta -> 'tags' AS tags
FROM queue.jobs j
WHERE ($1::text[] IS NULL OR j.state = ANY ($1::text[]))
  AND ($2::text IS NULL OR j.queue = $2::text)
  AND ($3::text IS NULL OR j.kind = $3::text
       OR (right($3::text, 1) = '*' AND starts_with(j.kind, left($3::text, -1))))
  AND ($4::uuid IS NULL OR j.tenant_id = $4::uuid)
  AND ($5::text IS NULL OR j.meta -> 'tags' ? $5::text)
  AND ($6::timestamptz IS NULL OR j.created_at >= $6::timestamptz)
  AND ($7::bigint IS NULL OR j.id < $7::bigint)
ORDER BY j.id DESC
LIMIT $8::integer
