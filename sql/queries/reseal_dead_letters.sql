-- Payloads of dead letters of a span of jobs that are to be sealed anew.
-- $1 bigint after this job  $2 bigint up to this one  $3 text key id (NULL: whatever is not sealed
-- with $4, and what is not sealed though its kind is encrypted)  $4 text key id
-- Rows: job_id, kind, tenant_id, content.
-- Index: dead_letter_pkey. Locks: those dead letters, until the transaction ends.
SELECT d.job_id, d.kind, d.tenant_id, d.payload::text AS content
FROM queue.dead_letter d
LEFT JOIN queue.kind k ON k.name = d.kind
WHERE d.job_id > $1::bigint
  AND d.job_id <= $2::bigint
  AND CASE WHEN queue.is_sealed(d.payload)
           THEN d.payload ->> 'kid' = $3::text
                OR ($3::text IS NULL AND d.payload ->> 'kid' IS DISTINCT FROM $4::text)
           ELSE $3::text IS NULL AND coalesce(k.encrypted, false) END
ORDER BY d.job_id
FOR UPDATE OF d
