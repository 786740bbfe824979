-- A new job like another one.
-- $1 bigint id  $2 jsonb payload  $3 timestamptz run_at  $4 integer priority; NULL: as the old one,
-- run_at now. One row: the new id. Index: job_pkey, attempt_pkey. Locks: as enqueue.
SELECT queue.clone($1::bigint, $2::jsonb, $3::timestamptz, $4::integer) AS id
