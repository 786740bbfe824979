-- What happened to a job, oldest first; operator actions are attempts too.
-- $1 bigint job. Rows: lease, attempt, outcome, started_at, finished_at, duration_ms, next_run_at,
-- worker_id, worker, error, output. Index: attempt_pkey, worker_pkey. Locks: none.
SELECT a.lease_id AS lease, a.attempt::integer AS attempt, a.outcome::text AS outcome,
       a.started_at, a.finished_at,
       round(extract(epoch FROM a.finished_at - a.started_at) * 1000, 3) AS duration_ms,
       a.next_run_at, a.worker_id, w.name AS worker, a.error, a.output
FROM queue.attempt a
LEFT JOIN queue.worker w ON w.id = a.worker_id
WHERE a.job_id = $1::bigint
ORDER BY a.lease_id
