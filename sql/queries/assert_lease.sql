-- Raises LQ007 unless the lease still owes the job, and keeps it so until the transaction ends.
-- $1 bigint job  $2 bigint lease. One row of nothing.
-- Index: lease_pkey, attempt_pkey. Locks: the lease, FOR SHARE.
SELECT queue.assert_lease($1::bigint, $2::bigint)
