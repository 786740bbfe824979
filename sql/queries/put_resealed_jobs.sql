-- Puts payloads that were sealed anew: the one update a job's row ever gets.
-- $1 bigint[] job  $2 jsonb[] payload. Index: job_pkey. Locks: those jobs.
UPDATE queue.job j
SET payload = u.content
FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::jsonb[]) AS content) u
WHERE j.id = u.id
