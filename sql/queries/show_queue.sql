-- One queue: what stands in it, its settings, the live workers that serve it and its lines.
-- $1 text queue. At most one row: the columns of queue.queue_stats, max_payload_bytes, created_at,
-- workers, concurrency, lines (JSON: kind, priority, waiting, oldest run_at of each in use).
-- Index: queue_name_key, ready_pkey. Locks: none.
SELECT s.queue, s.ready, s.scheduled, s.retrying, s.running, s.dead, s.oldest_ready_at, s.paused,
       s.pause_reason, s.paused_by, s.paused_at, q.max_payload_bytes, q.created_at,
       w.workers, w.concurrency, coalesce(n.lines, '[]'::jsonb) AS lines
FROM queue.queue q
JOIN queue.queue_stats s ON s.queue = q.name
CROSS JOIN LATERAL (
    SELECT count(*) AS workers,
           coalesce(sum((k.slots -> q.name ->> 'concurrency')::bigint), 0)::bigint AS concurrency
    FROM queue.worker k
    WHERE q.name = ANY (k.queues)
      AND k.beat_at > clock_timestamp() - make_interval(secs => k.lease_ms / 1000.0)) w
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('kind', g.kind, 'priority', g.priority,
                                        'waiting', g.waiting, 'oldest_run_at', g.oldest_run_at)
                     ORDER BY g.priority, g.kind) AS lines
    FROM (SELECT l.kind, l.priority, count(*) AS waiting, min(r.run_at) AS oldest_run_at
          FROM queue.line l
          JOIN queue.waiting r ON r.line_id IN (l.id, -l.id)
          WHERE l.queue_id = q.id
          GROUP BY l.kind, l.priority) g) n
WHERE q.name = $1::text
