-- Deletes finished jobs past their retention, those the walk by id meets in about the time given.
-- $1 int time limit in ms  $2 int rows per step
-- One row: jobs and dead letters deleted, jobs examined, round_over (nothing more to do now; false
-- when another worker is at it).
-- Index: job_pkey, attempt_pkey, lease_pkey, dead_letter_pkey. Locks: the row of retention_walk,
-- the jobs examined, both SKIP LOCKED.
SELECT p.jobs, p.letters, p.examined, p.round_over
FROM queue.prune_jobs(NULL, $1::int * interval '1 millisecond', $2::int) p
