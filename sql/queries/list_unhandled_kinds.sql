-- Kinds with jobs in line that no live worker handles in that queue.
-- No parameters. Rows: queue, kind, waiting (of each line 200 are looked at), oldest_run_at,
-- workers (live ones of the queue), count_exact (FALSE: at least so many wait).
-- Index: ready_pkey for the lines found. Locks: none.
SELECT u.queue, u.kind, sum(w.waiting)::bigint AS waiting, min(w.oldest_run_at) AS oldest_run_at,
       max(u.workers) AS workers, bool_and(w.waiting < 200) AS count_exact
FROM (
    SELECT l.id, l.queue_id, q.name AS queue, l.kind,
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
    SELECT count(*) AS waiting, min(b.run_at) AS oldest_run_at
    FROM ((SELECT r.run_at FROM queue.ready r WHERE r.line_id = u.id
           ORDER BY r.run_at, r.id LIMIT 200)
          UNION ALL
          (SELECT r.run_at FROM queue.ready r WHERE r.line_id = -u.id
           ORDER BY r.run_at, r.id LIMIT 200)
          UNION ALL
          (SELECT r.run_at FROM queue.key_wait r
           WHERE r.queue_id = u.queue_id AND r.line_id = u.id LIMIT 200)) b) w
WHERE w.waiting > 0
GROUP BY u.queue, u.kind
ORDER BY u.queue, u.kind
