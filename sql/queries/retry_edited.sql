-- Runs a job with another payload, as a new one. $1 bigint id  $2 jsonb payload.
-- One row: the new id. Index: job_pkey, attempt_pkey, dead_letter_pkey. Locks: the dead letter or
-- the job's place in line.
SELECT queue.retry_edited($1::bigint, $2::jsonb) AS id
