-- How far a batch has come. $1 bigint batch. Rows: state, total, succeeded, failed, cancelled,
-- sealed, finished; none when there is no such batch.
-- Index: batch_pkey, batch_tally_batch_id_idx. Locks: none.
SELECT b.state, b.total, b.succeeded, b.failed, b.cancelled, b.sealed,
       b.finished_at IS NOT NULL AS finished
FROM queue.batches b
WHERE b.id = $1::bigint
