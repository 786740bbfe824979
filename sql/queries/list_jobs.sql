-- Jobs in any state, newest first, among the next so many facts below an id: the caller asks again
-- from the least id examined. For the states waiting, running and dead alone there are cheaper
-- statements (list_waiting_jobs and siblings).
-- $1 text[] states  $2 text queue  $3 text kind, exact or prefix ending in *  $4 uuid tenant_id
-- $5 text tag  $6 timestamptz created at or after  $7 bigint below this id  $8 integer limit
-- $9 integer facts to examine at most. NULL does not restrict, but the last two are required.
-- Rows: id, tenant_id, queue, kind, state, priority, attempt, max_attempts, run_at, created_at,
-- finished_at, last_error, tags; then on each row examined (how many), lowest (the least id of
-- them), older (TRUE: all of them were created before $6). When none matches, one row with id NULL.
-- Index: job_pkey backwards, then job_pkey and attempt_pkey per fact. Locks: none.
WITH page AS MATERIALIZED (
    SELECT x.id, x.created_at
    FROM queue.job x
    WHERE $7::bigint IS NULL OR x.id < $7::bigint
    ORDER BY x.id DESC
    LIMIT $9::integer)
SELECT f.*, p.examined, p.lowest, p.older
FROM (SELECT count(*) AS examined, min(x.id) AS lowest,
             coalesce(bool_and(x.created_at < $6::timestamptz), false) AS older
      FROM page x) p
LEFT JOIN LATERAL (
    SELECT j.id, j.tenant_id, j.queue, j.kind, j.state, j.priority, j.attempt, j.max_attempts,
           j.run_at, j.created_at, j.finished_at, j.last_error, j.meta -> 'tags' AS tags
    FROM page x
    -- OFFSET 0: one look-up per id, whatever the planner thinks of their number.
    CROSS JOIN LATERAL (SELECT y.* FROM queue.jobs y WHERE y.id = x.id OFFSET 0) j
    WHERE ($1::text[] IS NULL OR j.state = ANY ($1::text[]))
      AND ($2::text IS NULL OR j.queue = $2::text)
      AND ($3::text IS NULL OR j.kind = $3::text
           OR (right($3::text, 1) = '*' AND starts_with(j.kind, left($3::text, -1))))
      AND ($4::uuid IS NULL OR j.tenant_id = $4::uuid)
      AND ($5::text IS NULL OR j.meta -> 'tags' ? $5::text)
      AND ($6::timestamptz IS NULL OR j.created_at >= $6::timestamptz)
    ORDER BY j.id DESC
    LIMIT $8::integer) f ON true
ORDER BY f.id DESC
