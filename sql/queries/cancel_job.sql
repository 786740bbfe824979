-- Cancels a waiting job or asks a running one to stop.
-- $1 bigint id  $2 text reason. One row: boolean, true when it was waiting.
-- Index: job_pkey, attempt_pkey, ready_pkey. Locks: the job's place in line.
SELECT queue.cancel($1::bigint, $2::text)
