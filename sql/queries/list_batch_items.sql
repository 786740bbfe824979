-- Jobs of a batch in the order they were added. $1 bigint batch  $2 text state or NULL
-- $3 bigint after this one (the last of the page before) or NULL  $4 int limit.
-- Rows: id, state, kind, attempts, error, finished_at. Raises LQ001, LQ005.
-- Index: batch_part_pkey, batch_failure_pkey, job_pkey, attempt_pkey. Locks: none.
SELECT i.id, i.state, i.kind, i.attempts, i.error, i.finished_at
FROM queue.batch_items($1::bigint, $2::text, $3::bigint, $4::int) i
