-- Payloads of a span of jobs that are to be sealed anew.
-- $1 bigint after this job  $2 bigint up to this one  $3 text key id (NULL: whatever is not sealed
-- with $4, and what is not sealed though its kind is encrypted)  $4 text key id
-- Rows: id, kind, tenant_id, content.
-- Index: job_pkey. Locks: those jobs, until the transaction ends.
SELECT j.id, l.kind, j.tenant_id, j.payload::text AS content
FROM queue.job j
JOIN queue.line l ON l.id = j.line_id
LEFT JOIN queue.kind k ON k.name = l.kind
WHERE j.id > $1::bigint
  AND j.id <= $2::bigint
  AND CASE WHEN queue.is_sealed(j.payload)
           THEN j.payload ->> 'kid' = $3::text
                OR ($3::text IS NULL AND j.payload ->> 'kid' IS DISTINCT FROM $4::text)
           ELSE $3::text IS NULL AND coalesce(k.encrypted, false) END
ORDER BY j.id
FOR UPDATE OF j
