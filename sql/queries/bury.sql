-- Copies jobs whose final attempt was recorded in this transaction into the dead letters, with
-- every attempt. Fenced by that attempt row: a run whose lease was lost left none, and the one that
-- its rescuer left under the same lease is another transaction's.
-- $1 bigint[] job  $2 bigint[] lease  $3 text[] reason
-- Index: attempt_pkey, job_pkey. Locks: none but the new rows.
INSERT INTO queue.dead_letter (job_id, died_at, created_at, tenant_id, queue, kind, priority,
                               max_attempts, attempt, reason, error, fingerprint, payload, meta,
                               attempts)
SELECT j.id, a.finished_at, j.created_at, j.tenant_id, q.name, l.kind, l.priority,
       j.max_attempts, a.attempt, u.reason, a.error, queue.fingerprint(l.kind, a.error),
       j.payload, j.meta,
       (SELECT jsonb_agg(jsonb_build_object(
                   'attempt', e.attempt, 'outcome', e.outcome, 'started_at', e.started_at,
                   'finished_at', e.finished_at, 'error', e.error, 'worker_id', e.worker_id)
               ORDER BY e.lease_id)
        FROM queue.attempt e WHERE e.job_id = j.id)
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS u (job_id, lease_id, reason)
-- OFFSET 0: see claim.
CROSS JOIN LATERAL (
    SELECT x.attempt, x.error, x.finished_at
    FROM queue.attempt x
    WHERE x.job_id = u.job_id
      AND x.lease_id = u.lease_id
      AND x.xmin = pg_current_xact_id()::xid
      AND x.next_run_at IS NULL
      AND x.outcome NOT IN ('completed', 'cancelled')
    OFFSET 0) a
CROSS JOIN LATERAL (SELECT x.* FROM queue.job x WHERE x.id = u.job_id OFFSET 0) j
JOIN queue.line l ON l.id = j.line_id
JOIN queue.queue q ON q.id = l.queue_id
