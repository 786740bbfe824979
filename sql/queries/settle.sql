-- What the end of these runs, recorded in this transaction, means for their batches and keys. Only
-- for jobs that have some. Fenced by the attempt rows.
-- $1 bigint[] job  $2 bigint[] lease
-- One row of nothing. Index: attempt_pkey, job_pkey, key_hold_job_id_idx. Locks: the jobs' holds.
SELECT queue.settle($1::bigint[], $2::bigint[])
