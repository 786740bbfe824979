-- How far a job is, as its handler last said. $1 bigint job.
-- Rows: updated_at, fraction, message; none when it said nothing. Index: progress_pkey.
-- Locks: none.
SELECT p.updated_at, p.fraction, p.message FROM queue.progress p WHERE p.job_id = $1::bigint
