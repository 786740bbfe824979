-- Puts outputs that were sealed anew.
-- $1 bigint[] job  $2 jsonb[] output  $3 text[] lease. Index: attempt_pkey. Locks: those rows.
UPDATE queue.attempt a
SET output = u.content
FROM (SELECT unnest($1::bigint[]) AS job_id, unnest($2::jsonb[]) AS content,
             unnest($3::text[])::bigint AS lease_id) u
WHERE a.job_id = u.job_id AND a.lease_id = u.lease_id
