-- A page of the audit this transaction may see, newest first. $1 text actor, $2 text action (exact,
-- or a prefix ending in *), $3 text target, $4 uuid tenant, $5 timestamptz since, $6 timestamptz
-- until (excluded), $7 bigint below this id; NULL restricts nothing. $8 int how many.
-- Rows: id, at, actor, role, tenant_id, action, target, detail, request_id, hash.
-- Index: audit_pkey backwards, whose rows are looked at until enough match; audit_at_idx.
-- Locks: none.
SELECT a.id, a.at, a.actor, a.role, a.tenant_id, a.action, a.target, a.detail, a.request_id,
       encode(a.hash, 'hex') AS hash
FROM queue.audit a
WHERE ($1::text IS NULL OR a.actor = $1::text)
  AND ($2::text IS NULL OR a.action = $2::text
       OR (right($2::text, 1) = '*' AND starts_with(a.action, left($2::text, -1))))
  AND ($3::text IS NULL OR a.target = $3::text)
  AND ($4::uuid IS NULL OR a.tenant_id = $4::uuid)
  AND ($5::timestamptz IS NULL OR a.at >= $5::timestamptz)
  AND ($6::timestamptz IS NULL OR a.at < $6::timestamptz)
  AND ($7::bigint IS NULL OR a.id < $7::bigint)
ORDER BY a.id DESC
LIMIT $8::integer
