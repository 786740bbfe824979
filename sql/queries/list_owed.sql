-- The jobs these (locked) leases still owe, with all that decides what becomes of them.
-- $1 bigint[] leases
-- Rows: lease_id, job_id, used, kind, crashes (before this one), crash_budget, on_lost, reconcile
-- Index: lease_pkey, attempt_pkey, job_pkey.
SELECT s.id AS lease_id, t.job_id, t.used, l.kind,
       (SELECT count(*) FROM queue.attempt e
        WHERE e.job_id = t.job_id AND e.outcome = 'lost'
          AND e.lease_id > coalesce((SELECT max(x.lease_id) FROM queue.attempt x
                                     WHERE x.job_id = t.job_id AND x.outcome = 'replayed'), 0))
           AS crashes,
       coalesce(k.crash_budget, 3)::int AS crash_budget,
       coalesce(k.on_lost, 'retry') AS on_lost,
       coalesce((SELECT e.reconcile FROM queue.attempt e
                 WHERE e.job_id = t.job_id ORDER BY e.lease_id DESC LIMIT 1), false) AS reconcile
FROM queue.lease s
CROSS JOIN LATERAL unnest(s.job_ids, s.attempts) AS t (job_id, used)
-- OFFSET 0: see claim.
CROSS JOIN LATERAL (SELECT x.line_id FROM queue.job x WHERE x.id = t.job_id OFFSET 0) j
JOIN queue.line l ON l.id = j.line_id
LEFT JOIN queue.kind k ON k.name = l.kind
WHERE s.id = ANY ($1::bigint[])
  AND NOT EXISTS (SELECT FROM queue.attempt a WHERE a.job_id = t.job_id AND a.lease_id = s.id)
ORDER BY t.job_id
