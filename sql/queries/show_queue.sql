-- One queue: what stands in it, its settings, the live workers that serve it and its lines.
-- $1 text queue. At most one row: queue, ready, scheduled, retrying, running, dead,
-- oldest_ready_at, paused, pause_reason, paused_by, paused_at, max_payload_bytes, created_at,
-- workers, concurrency, lines (JSON: kind, priority, waiting (1000 and more: at least so many),
-- oldest run_at of each in use), count_exact (FALSE: counts are estimates, see queue.overview).
-- Index: queue_name_key, ready_pkey, those of queue.overview. Locks: none.
SELECT q.name AS queue, coalesce(s.ready, 0) AS ready, coalesce(s.scheduled, 0) AS scheduled,
       coalesce(s.retrying, 0) AS retrying, coalesce(u.running, 0) AS running,
       coalesce(s.dead, 0) AS dead, s.oldest_ready_at, q.paused_at IS NOT NULL AS paused,
       q.pause_reason, q.paused_by, q.paused_at, q.max_payload_bytes, q.created_at,
       w.workers, w.concurrency, coalesce(n.lines, '[]'::jsonb) AS lines,
       coalesce(s.count_exact, true) AS count_exact
FROM queue.queue q
LEFT JOIN (
    SELECT o.queue, o.ready, o.scheduled, o.retrying, o.dead,
           o.oldest_waiting_at AS oldest_ready_at, o.count_exact
    FROM queue.overview($1::text) o
    WHERE queue.current_tenant() IS NULL
    UNION ALL
    SELECT x.queue, x.ready, x.scheduled, x.retrying, x.dead, x.oldest_ready_at, true
    FROM queue.queue_stats x
    WHERE queue.current_tenant() IS NOT NULL) s ON s.queue = q.name
LEFT JOIN (
    SELECT l.queue_id, count(*) AS running
    FROM queue.lease s
    CROSS JOIN LATERAL unnest(s.job_ids) t (job_id)
    JOIN queue.job j ON j.id = t.job_id
    JOIN queue.line l ON l.id = j.line_id
    WHERE NOT EXISTS (SELECT FROM queue.attempt a
                      WHERE a.job_id = t.job_id AND a.lease_id = s.id)
    GROUP BY l.queue_id) u ON u.queue_id = q.id
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
          -- Apart, because -id may fail: a row's policy would be asked before it, so of every row.
          FROM (SELECT l.id, -l.id AS negative_id, l.kind, l.priority
                FROM queue.line l WHERE l.queue_id = q.id OFFSET 0) l
          CROSS JOIN LATERAL (
              (SELECT x.run_at FROM queue.ready x WHERE x.line_id = l.id
               ORDER BY x.run_at, x.id LIMIT 1000)
              UNION ALL
              (SELECT x.run_at FROM queue.ready x WHERE x.line_id = l.negative_id
               ORDER BY x.run_at, x.id LIMIT 1000)
              UNION ALL
              (SELECT x.run_at FROM queue.key_wait x
               WHERE x.queue_id = q.id AND x.line_id = l.id LIMIT 1000)) r
          GROUP BY l.kind, l.priority) g) n
WHERE q.name = $1::text
