-- Jobs that match a filter, in the order and with the cursors of queue.find_jobs.
-- $1 jsonb filter  $2 text behind this cursor, or NULL  $3 integer limit
-- Rows: as list_jobs, then behind_it text. A last row without id: the time was up, go on behind it.
-- Index: those queue.find_jobs chooses from, then job_pkey, attempt_pkey, dead_letter_pkey per row.
-- Locks: none.
SELECT f.id, coalesce(j.tenant_id, d.tenant_id) AS tenant_id, coalesce(j.queue, d.queue) AS queue,
       coalesce(j.kind, d.kind) AS kind,
       coalesce(j.state, CASE WHEN d.job_id IS NOT NULL THEN 'dead' END) AS state,
       coalesce(j.priority, d.priority)::integer AS priority,
       coalesce(j.attempt, d.attempt)::integer AS attempt,
       coalesce(j.max_attempts, d.max_attempts)::integer AS max_attempts,
       coalesce(j.run_at, d.created_at) AS run_at,
       coalesce(j.created_at, d.created_at) AS created_at,
       coalesce(j.finished_at, d.died_at) AS finished_at,
       coalesce(j.last_error, d.error) AS last_error,
       coalesce(j.meta, d.meta) -> 'tags' AS tags, f.behind_it
FROM queue.find_jobs($1::jsonb, $2::text, $3::integer) WITH ORDINALITY
     AS f (id, behind_it, place)
LEFT JOIN LATERAL (SELECT x.* FROM queue.jobs x WHERE x.id = f.id OFFSET 0) j ON true
LEFT JOIN LATERAL (SELECT x.* FROM queue.dead_letter x
                   WHERE x.job_id = f.id AND j.id IS NULL OFFSET 0) d ON true
ORDER BY f.place
