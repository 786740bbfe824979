-- Counts completed items for their batches, those whose lease still stands: what finish_completed
-- recorded before in this transaction, and of each lease all or nothing.
-- $1 bigint worker  by lease and batch: $2 bigint[] lease  $3 bigint[] batch  $4 bigint[] items
-- One row of nothing. Index: lease_pkey, batch_pkey. Locks: none but the new rows.
SELECT queue.count_completed($1::bigint, $2::bigint[], $3::bigint[], $4::bigint[])
