-- Checkpoints of a span of jobs that are to be sealed anew.
-- $1 bigint after this job  $2 bigint up to this one  $3 text key id (NULL: whatever is not sealed
-- with $4, and what is not sealed though its kind is encrypted)  $4 text key id
-- Rows: job_id, kind, tenant_id, content.
-- Index: checkpoint_pkey, job_pkey. Locks: those rows, until the transaction ends.
SELECT c.job_id, l.kind, j.tenant_id, c.data::text AS content
FROM queue.checkpoint c
JOIN queue.job j ON j.id = c.job_id
JOIN queue.line l ON l.id = j.line_id
LEFT JOIN queue.kind k ON k.name = l.kind
WHERE c.job_id > $1::bigint
  AND c.job_id <= $2::bigint
  AND CASE WHEN queue.is_sealed(c.data)
           THEN c.data ->> 'kid' = $3::text
                OR ($3::text IS NULL AND c.data ->> 'kid' IS DISTINCT FROM $4::text)
           ELSE $3::text IS NULL AND coalesce(k.encrypted, false) END
ORDER BY c.job_id
FOR UPDATE OF c
