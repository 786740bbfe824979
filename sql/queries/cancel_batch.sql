-- Cancels what waits of a batch and asks what runs. $1 bigint batch  $2 text reason or NULL.
-- Rows: cancelled, asked, finished (false: the workers go on). Raises LQ005, LQ006.
-- Index: batch_pkey, batch_part_pkey, ready_pkey. Locks: the batch, the jobs in line SKIP LOCKED.
SELECT c.cancelled, c.asked, c.finished FROM queue.cancel_batch($1::bigint, $2::text) c
