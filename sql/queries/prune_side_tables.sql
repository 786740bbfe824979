-- Removes progress and cancel requests of jobs that ended or are gone, at most so many rows of
-- each, and checkpoints of jobs that completed: a dead one may be replayed, and goes on from its
-- checkpoint; batches, samples and alerts past their time; operations that ended 30 days ago; notes
-- on failure groups that are gone; answers of requests that nobody may ask for again; frees keys
-- that such jobs still hold. A job that was
-- replayed goes on: its latest attempt counts. Log lines and effects stay as long as their job.
-- $1 int most.
-- Rows: removed. Index: job_pkey, attempt_pkey; the three tables are read whole, and hold what runs
-- now (checkpoints also what is dead). Locks: the rows removed.
WITH progress_ended AS (
    SELECT p.job_id FROM queue.progress p
    WHERE NOT EXISTS (SELECT FROM queue.job j WHERE j.id = p.job_id)
       OR EXISTS (SELECT FROM (SELECT a.next_run_at FROM queue.attempt a
                               WHERE a.job_id = p.job_id ORDER BY a.lease_id DESC LIMIT 1) l
                  WHERE l.next_run_at IS NULL)
    LIMIT $1::int),
progress AS (
    DELETE FROM queue.progress p USING progress_ended e WHERE p.job_id = e.job_id RETURNING 1),
requests_ended AS (
    SELECT c.job_id FROM queue.cancel_request c
    WHERE NOT EXISTS (SELECT FROM queue.job j WHERE j.id = c.job_id)
       OR EXISTS (SELECT FROM (SELECT a.next_run_at FROM queue.attempt a
                               WHERE a.job_id = c.job_id ORDER BY a.lease_id DESC LIMIT 1) l
                  WHERE l.next_run_at IS NULL)
    LIMIT $1::int),
requests AS (
    DELETE FROM queue.cancel_request c USING requests_ended e WHERE c.job_id = e.job_id
    RETURNING 1),
checkpoints_ended AS (
    SELECT c.job_id FROM queue.checkpoint c
    WHERE NOT EXISTS (SELECT FROM queue.job j WHERE j.id = c.job_id)
       OR EXISTS (SELECT FROM queue.attempt a WHERE a.job_id = c.job_id AND a.outcome = 'completed')
    LIMIT $1::int),
checkpoints AS (
    DELETE FROM queue.checkpoint c USING checkpoints_ended e WHERE c.job_id = e.job_id RETURNING 1),
notes AS (
    DELETE FROM queue.failure_group g
    WHERE g.updated_at < clock_timestamp() - interval '1 day'
      AND NOT EXISTS (SELECT FROM queue.dead_letter d WHERE d.fingerprint = g.fingerprint)
    RETURNING 1)
SELECT (SELECT count(*) FROM progress) + (SELECT count(*) FROM requests)
       + (SELECT count(*) FROM checkpoints) + (SELECT count(*) FROM notes)
       + queue.prune_operations(interval '30 days', $1::int) + queue.free_ended_keys($1::int)
       + queue.prune_batches(NULL, $1::int) + queue.prune_requests($1::int)
       + queue.prune_samples(NULL, $1::int) + queue.prune_alerts(NULL, $1::int) AS removed
