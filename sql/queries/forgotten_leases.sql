-- Leases this worker holds but does not know of (the claim's answer was lost), old enough that no
-- turn still under way can have made them. Gives the owed jobs back to their places in line.
-- $1 bigint worker  $2 bigint[] leases it knows  $3 int age in ms
-- Rows: lease id, jobs given back. Index: lease_worker_idx, attempt_pkey, ready_pkey.
-- Locks: the leases, FOR UPDATE.
WITH forgotten AS MATERIALIZED (
    SELECT s.id, s.job_ids, s.attempts
    FROM queue.lease s
    WHERE s.worker_id = $1::bigint AND s.id <> ALL ($2::bigint[])
      AND s.claimed_at < now() - $3::int * interval '1 millisecond'
    ORDER BY s.id
    FOR UPDATE),
owed AS MATERIALIZED (
    SELECT f.id AS lease_id, t.job_id, t.used
    FROM forgotten f
    CROSS JOIN LATERAL unnest(f.job_ids, f.attempts) AS t (job_id, used)
    WHERE NOT EXISTS (SELECT FROM queue.attempt a
                      WHERE a.job_id = t.job_id AND a.lease_id = f.id)),
returned AS (
    INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile)
    SELECT o.job_id,
           greatest(coalesce(e.next_run_at, j.run_at),
                    (SELECT max(h.ready_at) FROM queue.key_hold h WHERE h.job_id = o.job_id)),
           CASE e.outcome WHEN 'lost' THEN -j.line_id ELSE j.line_id END, o.used,
           e.reconcile
    FROM owed o
    JOIN queue.job j ON j.id = o.job_id
    LEFT JOIN LATERAL (SELECT a.next_run_at, a.reconcile, a.outcome FROM queue.attempt a
                       WHERE a.job_id = o.job_id ORDER BY a.lease_id DESC LIMIT 1) e ON true),
gone AS (DELETE FROM queue.lease s USING forgotten f WHERE s.id = f.id)
SELECT f.id, (SELECT count(*) FROM owed o WHERE o.lease_id = f.id) AS jobs FROM forgotten f
