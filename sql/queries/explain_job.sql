-- The first true reason why a job is not running.
-- $1 bigint job. One row: reason, detail, until. Raises LQ005 for an unknown job.
-- Index: job_pkey, attempt_pkey, ready_pkey. Locks: none.
SELECT e.reason, e.detail, e.until
FROM queue.explain($1::bigint) e
