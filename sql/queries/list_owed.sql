-- The jobs these (locked) leases still owe, with all that decides what becomes of them.
-- $1 bigint[] leases
-- Rows: lease_id, job_id, used, kind, suspect, crashes (before this one), crash_budget, on_lost,
-- reconcile. A suspect ran apart from others. Counted as its crashes are the losses next to another
-- loss: one alone, after which the job ran and its worker lived, was some neighbour's doing. Losses
-- before the last replay do not count.
-- Index: lease_pkey, attempt_pkey, job_pkey, effect_pkey.
SELECT s.id AS lease_id, t.job_id, t.used, l.kind,
       coalesce(e.suspect, false) AS suspect,
       e.crashes,
       coalesce(k.crash_budget, 3)::int AS crash_budget,
       coalesce(k.on_lost, 'retry') AS on_lost,
       -- An effect begun and not ended may have happened, whatever the kind's on_lost says.
       coalesce(e.reconcile, false) OR queue.has_open_effect(t.job_id) AS reconcile
FROM queue.lease s
CROSS JOIN LATERAL unnest(s.job_ids, s.attempts) AS t (job_id, used)
-- OFFSET 0: see claim.
CROSS JOIN LATERAL (SELECT x.line_id FROM queue.job x WHERE x.id = t.job_id OFFSET 0) j
JOIN queue.line l ON l.id = j.line_id
LEFT JOIN queue.kind k ON k.name = l.kind
CROSS JOIN LATERAL (
    SELECT bool_or(h.outcome = 'lost') FILTER (WHERE h.after IS NULL) AS suspect,
           bool_or(h.reconcile) FILTER (WHERE h.after IS NULL) AS reconcile,
           -- The loss at hand comes after the last row.
           count(*) FILTER (WHERE h.outcome = 'lost'
                              AND (h.before = 'lost' OR coalesce(h.after, 'lost') = 'lost'))
               AS crashes
    FROM (SELECT a.outcome, a.reconcile,
                 lag(a.outcome) OVER (ORDER BY a.lease_id) AS before,
                 lead(a.outcome) OVER (ORDER BY a.lease_id) AS after
          FROM queue.attempt a
          WHERE a.job_id = t.job_id
            AND a.lease_id >= coalesce((SELECT max(x.lease_id) FROM queue.attempt x
                                        WHERE x.job_id = t.job_id AND x.outcome = 'replayed'), 0)) h
    ) e
WHERE s.id = ANY ($1::bigint[])
  AND NOT EXISTS (SELECT FROM queue.attempt a WHERE a.job_id = t.job_id AND a.lease_id = s.id)
ORDER BY t.job_id
