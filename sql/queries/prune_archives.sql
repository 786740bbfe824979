-- Deletes archived jobs past their archive's retention, oldest first, and erases what was to be
-- erased when its job ends.
-- $1 int time limit in ms  $2 int rows per step
-- One row: archived jobs deleted, jobs erased, round_over (no more are due).
-- Index: archived_job_archived_at_idx, erasure_pending_pkey. Locks: the archives' rows and what
-- goes, SKIP LOCKED.
SELECT p.jobs, queue.finish_erasures() AS erased, p.round_over
FROM queue.prune_archives(NULL, $1::int * interval '1 millisecond', $2::int) p
