-- Raises LQ007 unless these runs were recorded in this transaction.
-- $1 bigint[] job  $2 bigint[] lease. One row of nothing. Index: attempt_pkey. Locks: none.
SELECT queue.assert_recorded($1::bigint[], $2::bigint[])
