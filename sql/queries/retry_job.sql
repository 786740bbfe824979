-- Makes a waiting job due now, or puts a dead or cancelled one back in line.
-- $1 bigint id. One row of nothing.
-- Index: job_pkey, attempt_pkey, ready_pkey. Locks: the job's place in line, its dead letter.
SELECT queue.retry($1::bigint)
