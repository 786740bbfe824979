-- Outputs of archived jobs of a span of jobs that are to be sealed anew.
-- $1 bigint after this job  $2 bigint up to this one  $3 text key id (NULL: whatever is not sealed
-- with $4, and what is not sealed though its kind is encrypted)  $4 text key id
-- Rows: id, kind, tenant_id, content, archive.
-- Index: archived_job_pkey, a range in each archive. Locks: those rows, until the transaction ends.
SELECT a.id, a.kind, a.tenant_id, a.output::text AS content, a.archive
FROM queue.archive x
JOIN queue.archived_job a ON a.archive = x.name
LEFT JOIN queue.kind k ON k.name = a.kind
WHERE a.id > $1::bigint
  AND a.id <= $2::bigint
  AND a.output IS NOT NULL
  AND CASE WHEN queue.is_sealed(a.output)
           THEN a.output ->> 'kid' = $3::text
                OR ($3::text IS NULL AND a.output ->> 'kid' IS DISTINCT FROM $4::text)
           ELSE $3::text IS NULL AND coalesce(k.encrypted, false) END
ORDER BY a.id
FOR UPDATE OF a
