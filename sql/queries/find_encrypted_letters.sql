-- Which of these dead letters need keys to be replayed as new jobs.
-- $1 bigint[] jobs. Rows: job_id, kind, tenant_id, content.
-- Index: dead_letter_pkey. Locks: those dead letters, SKIP LOCKED, until the transaction ends.
SELECT d.job_id, d.kind, d.tenant_id, d.payload::text AS content
FROM queue.dead_letter d
WHERE d.job_id = ANY ($1::bigint[])
  AND (queue.is_sealed(d.payload)
       OR (SELECT k.encrypted FROM queue.kind k WHERE k.name = d.kind))
ORDER BY d.job_id
FOR UPDATE SKIP LOCKED
