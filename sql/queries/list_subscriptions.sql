-- Subscriptions in the order they were made. $1 text pattern  $2 text kind, exact or prefix ending
-- in *  $3 uuid tenant_id  $4 bigint after this id  $5 int limit. NULL does not restrict, but $5 is
-- required.
-- Index: subscription_pkey. Locks: none.
SELECT s.id, s.pattern, s.kind, s.tenant_id, s.queue, s.priority, s.max_attempts,
       (extract(epoch FROM s.delay) * 1000)::bigint AS delay_ms, s.filter, s.ordering_key_path,
       s.created_at, s.updated_at
FROM queue.subscriptions s
WHERE ($1::text IS NULL OR s.pattern = $1::text)
  AND ($2::text IS NULL OR s.kind = $2::text
       OR (right($2::text, 1) = '*' AND starts_with(s.kind, left($2::text, -1))))
  AND ($3::uuid IS NULL OR s.tenant_id = $3::uuid)
  AND ($4::bigint IS NULL OR s.id > $4::bigint)
ORDER BY s.id
LIMIT $5::int
