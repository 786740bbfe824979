-- Dead letters grouped by what killed them, largest group first.
-- $1 bigint[] ids  $2 text queue  $3 text kind, exact or prefix ending in *  $4 uuid tenant_id
-- $5 text substring of the error  $6 text fingerprint  $7 timestamptz died at or after
-- $8 timestamptz died before  $9 bigint below this id  $10 integer limit
-- NULL does not restrict, but limit is required.
-- Rows: fingerprint, kind, queue, count, first_died_at, last_died_at, sample_id, reason, error of
-- the newest letter. Reads every letter that matches.
-- Index: dead_letter_fingerprint_idx when a fingerprint is given. Locks: none.
SELECT d.fingerprint, d.kind, min(d.queue) AS queue, count(*) AS count,
       min(d.died_at) AS first_died_at, max(d.died_at) AS last_died_at,
       max(d.job_id) AS sample_id,
       (array_agg(d.reason ORDER BY d.job_id DESC))[1] AS reason,
       left((array_agg(d.error ORDER BY d.job_id DESC))[1], 500) AS error
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
GROUP BY d.fingerprint, d.kind
ORDER BY count(*) DESC, d.fingerprint
LIMIT $10::integer
