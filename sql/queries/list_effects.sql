-- The effects of a job, in the order they were begun. $1 bigint job.
-- Rows: step, state, key, lease, begun_at, ended_at, result. Index: effect_pkey. Locks: none.
SELECT e.step, e.state, e.key, e.lease_id AS lease, e.begun_at, e.ended_at, e.result
FROM queue.effects e
WHERE e.job_id = $1::bigint
ORDER BY e.begun_at, e.step
