-- Puts checkpoints that were sealed anew.
-- $1 bigint[] job  $2 jsonb[] data. Index: checkpoint_pkey. Locks: those rows.
UPDATE queue.checkpoint c
SET data = u.content
FROM (SELECT unnest($1::bigint[]) AS job_id, unnest($2::jsonb[]) AS content) u
WHERE c.job_id = u.job_id
