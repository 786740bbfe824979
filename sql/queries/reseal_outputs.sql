-- Outputs of a span of jobs that are to be sealed anew.
-- $1 bigint after this job  $2 bigint up to this one  $3 text key id (NULL: whatever is not sealed
-- with $4, and what is not sealed though its kind is encrypted)  $4 text key id
-- Rows: job_id, kind, tenant_id, content, lease_id.
-- Index: attempt_pkey, job_pkey. Locks: those attempts, until the transaction ends.
SELECT a.job_id, l.kind, j.tenant_id, a.output::text AS content, a.lease_id::text
FROM queue.attempt a
JOIN queue.job j ON j.id = a.job_id
JOIN queue.line l ON l.id = j.line_id
LEFT JOIN queue.kind k ON k.name = l.kind
WHERE a.job_id > $1::bigint
  AND a.job_id <= $2::bigint
  AND a.output IS NOT NULL
  AND CASE WHEN queue.is_sealed(a.output)
           THEN a.output ->> 'kid' = $3::text
                OR ($3::text IS NULL AND a.output ->> 'kid' IS DISTINCT FROM $4::text)
           ELSE $3::text IS NULL AND coalesce(k.encrypted, false) END
ORDER BY a.job_id, a.lease_id
FOR UPDATE OF a
