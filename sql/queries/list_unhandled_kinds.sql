-- Kinds with jobs in line that no live worker handles in that queue.
-- No parameters. Rows: queue, kind, waiting, oldest_run_at, workers (live ones of the queue).
-- Index: ready_pkey for the lines found. Locks: none.
SELECT u.queue, u.kind, sum(w.waiting)::bigint AS waiting, min(w.oldest_run_at) AS oldest_run_at,
       max(u.workers) AS workers
FROM (
    SELECT l.id, q.name AS queue, l.kind,
           (SELECT count(*) FROM queue.worker k
            WHERE q.name = ANY (k.queues)
              AND k.beat_at > clock_timestamp() - make_interval(secs => k.lease_ms / 1000.0))
           AS workers
    FROM queue.line l
    JOIN queue.queue q ON q.id = l.queue_id
    WHERE NOT EXISTS (
        SELECT FROM queue.worker k
        WHERE q.name = ANY (k.queues)
          AND l.kind = ANY (k.kinds)
          AND k.beat_at > clock_timestamp() - make_interval(secs => k.lease_ms / 1000.0))) u
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(r.run_at) AS oldest_run_at
    FROM queue.waiting r
    WHERE r.line_id IN (u.id, -u.id)) w
WHERE w.waiting > 0
GROUP BY u.queue, u.kind
ORDER BY u.queue, u.kind
