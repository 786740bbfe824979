-- How many dead letters match, the largest of their ids (NULL when none) and the database's time:
-- what a sweep over them needs to know before it begins.
-- $1 bigint[] ids  $2 text queue  $3 text kind, exact or prefix ending in *  $4 uuid tenant_id
-- $5 text substring of the error  $6 text fingerprint  $7 timestamptz died at or after
-- $8 timestamptz died before  $9 bigint below this id; NULL does not restrict.
-- One row: count bigint, last_id bigint, at timestamptz.
-- Index: dead_letter_pkey or dead_letter_fingerprint_idx. Locks: none.
SELECT count(*) AS count, max(d.job_id) AS last_id, clock_timestamp() AS at
FROM queue.dead_letter d
WHERE ($1::bigint[] IS NULL OR d.job_id = ANY ($1::bigint[]))
  AND ($2::text IS NULL OR d.queue = $2::text)
  AND ($3::text IS NULL OR d.kind = $3::text
       OR (right($3::text, 1) = '*' AND starts_with(d.kind, left($3::text, -1))))
  AND ($4::uuid IS NULL OR d.tenant_id = $4::uuid)
  AND ($5::text IS NULL OR strpos(d.error, $5::text) > 0)
  AND ($6::text IS NULL OR d.fingerprint = $6::text)
  AND ($7::timestamptz IS NULL OR d.died_at >= $7::timestamptz)
  AND ($8::timestamptz IS NULL OR d.died_at < $8::timestamptz)
  AND ($9::bigint IS NULL OR d.job_id < $9::bigint)
