-- Seals a batch. $1 bigint batch. Raises LQ005, LQ006. Waits for transactions that add to it.
-- Index: batch_pkey. Locks: the batch; notifies workers.
SELECT queue.seal_batch($1::bigint)
