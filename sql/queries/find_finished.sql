-- Which of these runs were recorded: asked after a turn whose commit got no answer.
-- $1 bigint[] job  $2 bigint[] lease. Rows: job_id, lease_id. Index: attempt_pkey.
-- Locks: none.
SELECT a.job_id, a.lease_id
FROM unnest($1::bigint[], $2::bigint[]) AS u (job_id, lease_id)
JOIN queue.attempt a ON a.job_id = u.job_id AND a.lease_id = u.lease_id
