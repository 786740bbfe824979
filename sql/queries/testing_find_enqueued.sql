-- Test kit: jobs in line that match, oldest first.
-- $1 text kind, exact or prefix ending in *  $2 text queue  $3 jsonb the payload contains
-- $4 int priority  $5 uuid tenant_id  $6 text tag  $7 bigint due after so many ms
-- $8 bigint due within so many ms. NULL does not restrict, but $1 is required.
-- Rows: id. Index: none, reads the whole line. Locks: none.
SELECT j.id
FROM queue.waiting r
CROSS JOIN LATERAL (SELECT x.* FROM queue.jobs x WHERE x.id = r.id) j
WHERE (j.kind = $1::text
       OR (right($1::text, 1) = '*' AND starts_with(j.kind, left($1::text, -1))))
  AND ($2::text IS NULL OR j.queue = $2::text)
  AND ($3::jsonb IS NULL OR j.payload @> $3::jsonb)
  AND ($4::int IS NULL OR j.priority = $4::int)
  AND ($5::uuid IS NULL OR j.tenant_id = $5::uuid)
  AND ($6::text IS NULL OR j.meta -> 'tags' ? $6::text)
  AND ($7::bigint IS NULL
       OR r.run_at >= clock_timestamp() + $7::bigint * interval '1 millisecond')
  AND ($8::bigint IS NULL
       OR r.run_at <= clock_timestamp() + $8::bigint * interval '1 millisecond')
ORDER BY j.id
