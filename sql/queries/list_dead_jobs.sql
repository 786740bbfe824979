-- Jobs with a dead letter (state dead), newest first. Reads the dead letters.
-- $1 text[] states  $2 text queue  $3 text kind, exact or prefix ending in *  $4 uuid tenant_id
-- $5 text tag  $6 timestamptz created at or after  $7 bigint below this id  $8 integer limit
-- NULL does not restrict, but limit is required. Rows: as list_jobs.
-- Index: dead_letter_pkey backwards. Locks: none.
SELECT d.job_id AS id, d.tenant_id, d.queue, d.kind, 'dead' AS state,
       d.priority::integer AS priority, d.attempt::integer AS attempt,
       d.max_attempts::integer AS max_attempts, d.created_at AS run_at, d.created_at,
       d.died_at AS finished_at, d.error AS last_error, d.meta -> 'tags' AS tags
FROM queue.dead_letter d
WHERE ($1::text[] IS NULL OR 'dead' = ANY ($1::text[]))
  AND ($2::text IS NULL OR d.queue = $2::text)
  AND ($3::text IS NULL OR d.kind = $3::text
       OR (right($3::text, 1) = '*' AND starts_with(d.kind, left($3::text, -1))))
  AND ($4::uuid IS NULL OR d.tenant_id = $4::uuid)
  AND ($5::text IS NULL OR d.meta -> 'tags' ? $5::text)
  AND ($6::timestamptz IS NULL OR d.created_at >= $6::timestamptz)
  AND ($7::bigint IS NULL OR d.job_id < $7::bigint)
ORDER BY d.job_id DESC
LIMIT $8::integer
