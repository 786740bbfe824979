-- Puts payloads of archived jobs that were sealed anew.
-- $1 bigint[] job  $2 jsonb[] payload  $3 text[] archive.
-- Index: archived_job_pkey. Locks: those rows.
UPDATE queue.archived_job a
SET payload = u.content
FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::jsonb[]) AS content,
             unnest($3::text[]) AS archive) u
WHERE a.archive = u.archive AND a.id = u.id
