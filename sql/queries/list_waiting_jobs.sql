-- Jobs in line (states ready, scheduled, retrying), newest first. Reads the line and never the
-- history: one pass over the ready rows of the lines that match, then the facts of those found.
-- $1 text[] states  $2 text queue  $3 text kind, exact or prefix ending in *  $4 uuid tenant_id
-- $5 text tag  $6 timestamptz created at or after  $7 bigint below this id  $8 integer limit
-- NULL does not restrict, but limit is required. Rows: as list_jobs.
-- $1 names at least one of the three states.
-- Index: line_triple_idx, ready_pkey, then job_pkey and attempt_pkey per row. Locks: none.
WITH asked AS (
    SELECT 'ready' = ANY ($1::text[]) AS due,
           'scheduled' = ANY ($1::text[]) AS scheduled,
           'retrying' = ANY ($1::text[]) AS retrying),
place AS MATERIALIZED (
    SELECT r.id
    FROM queue.waiting r
    CROSS JOIN asked a
    WHERE r.line_id = ANY (ARRAY(
              SELECT unnest(ARRAY[l.id, -l.id])
              FROM queue.line l
              JOIN queue.queue q ON q.id = l.queue_id
              WHERE ($2::text IS NULL OR q.name = $2::text)
                AND ($3::text IS NULL OR l.kind = $3::text
                     OR (right($3::text, 1) = '*' AND starts_with(l.kind, left($3::text, -1))))))
      AND ($7::bigint IS NULL OR r.id < $7::bigint)
      AND CASE WHEN r.run_at <= now() THEN a.due ELSE a.scheduled OR a.retrying END
    ORDER BY r.id DESC
    -- Enough when nothing further is asked of a job than its row in line tells.
    LIMIT (SELECT CASE WHEN $4::uuid IS NULL AND $5::text IS NULL AND $6::timestamptz IS NULL
                        AND a.scheduled = a.retrying THEN $8::integer END
           FROM asked a))
SELECT j.id, j.tenant_id, j.queue, j.kind, j.state, j.priority, j.attempt, j.max_attempts,
       j.run_at, j.created_at, j.finished_at, j.last_error, j.meta -> 'tags' AS tags
FROM place p
-- OFFSET 0: one look-up per id, whatever the planner thinks of their number.
CROSS JOIN LATERAL (SELECT x.* FROM queue.jobs x WHERE x.id = p.id OFFSET 0) j
WHERE j.state = ANY ($1::text[])
  AND ($4::uuid IS NULL OR j.tenant_id = $4::uuid)
  AND ($5::text IS NULL OR j.meta -> 'tags' ? $5::text)
  AND ($6::timestamptz IS NULL OR j.created_at >= $6::timestamptz)
ORDER BY j.id DESC
LIMIT $8::integer
