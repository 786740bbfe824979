-- Lets a waiting job wait on. $1 bigint id  $2 timestamptz until. One row of nothing.
-- Index: job_pkey, attempt_pkey, ready_pkey. Locks: the job's place in line.
SELECT queue.snooze($1::bigint, $2::timestamptz)
