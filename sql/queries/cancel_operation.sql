-- Ends an operation; what is done stays done. $1 bigint id. One row of nothing. Raises LQ005,
-- LQ006. Index: operation_pkey. Locks: its row.
SELECT queue.cancel_operation($1::bigint)
