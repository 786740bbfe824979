-- Keeps how far a running job has come. Raises LQ007 unless the lease still owes the job.
-- $1 bigint job  $2 bigint lease  $3 jsonb data. One row of nothing.
-- Index: lease_pkey, attempt_pkey, checkpoint_pkey. Locks: the lease, FOR SHARE; the row written.
SELECT queue.checkpoint($1::bigint, $2::bigint, $3::jsonb)
