-- Jobs that a lease owes an outcome for (state running), newest first. Reads the leases.
-- $1 text[] states  $2 text queue  $3 text kind, exact or prefix ending in *  $4 uuid tenant_id
-- $5 text tag  $6 timestamptz created at or after  $7 bigint below this id  $8 integer limit
-- NULL does not restrict, but limit is required. Rows: as list_jobs.
-- Index: attempt_pkey and job_pkey per row. Locks: none.
WITH place AS MATERIALIZED (
    SELECT t.job_id AS id
    FROM queue.lease s
    CROSS JOIN LATERAL unnest(s.job_ids) t (job_id)
    WHERE ($7::bigint IS NULL OR t.job_id < $7::bigint)
      AND NOT EXISTS (
          SELECT FROM queue.attempt a WHERE a.job_id = t.job_id AND a.lease_id = s.id))
SELECT j.id, j.tenant_id, j.queue, j.kind, j.state, j.priority, j.attempt, j.max_attempts,
       j.run_at, j.created_at, j.finished_at, j.last_error, j.meta -> 'tags' AS tags
FROM place p
CROSS JOIN LATERAL (SELECT x.* FROM queue.jobs x WHERE x.id = p.id OFFSET 0) j
WHERE j.state = 'running'
  AND ($1::text[] IS NULL OR j.state = ANY ($1::text[]))
  AND ($2::text IS NULL OR j.queue = $2::text)
  AND ($3::text IS NULL OR j.kind = $3::text
       OR (right($3::text, 1) = '*' AND starts_with(j.kind, left($3::text, -1))))
  AND ($4::uuid IS NULL OR j.tenant_id = $4::uuid)
  AND ($5::text IS NULL OR j.meta -> 'tags' ? $5::text)
  AND ($6::timestamptz IS NULL OR j.created_at >= $6::timestamptz)
ORDER BY j.id DESC
LIMIT $8::integer
