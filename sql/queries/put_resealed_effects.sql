-- Puts results of effects that were sealed anew.
-- $1 bigint[] job  $2 jsonb[] result  $3 text[] step. Index: effect_pkey. Locks: those rows.
UPDATE queue.effect c
SET result = u.content
FROM (SELECT unnest($1::bigint[]) AS job_id, unnest($2::jsonb[]) AS content,
             unnest($3::text[]) AS step) u
WHERE c.job_id = u.job_id AND c.step = u.step
