-- $1 bigint[] jobs  $2 text[] fractions  $3 text[] messages
-- Index: progress_pkey. Locks: the rows written.
INSERT INTO queue.progress AS p (job_id, updated_at, fraction, message)
SELECT u.job_id, clock_timestamp(), u.fraction::real, u.message
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS u (job_id, fraction, message)
ON CONFLICT (job_id) DO UPDATE
SET updated_at = excluded.updated_at, fraction = excluded.fraction, message = excluded.message
