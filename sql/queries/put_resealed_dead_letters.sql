-- Puts payloads of dead letters that were sealed anew.
-- $1 bigint[] job  $2 jsonb[] payload. Index: dead_letter_pkey. Locks: those dead letters.
UPDATE queue.dead_letter d
SET payload = u.content
FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::jsonb[]) AS content) u
WHERE d.job_id = u.id
