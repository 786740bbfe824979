-- Every queue with what stands in it. No parameters.
-- Rows: queue, ready, scheduled, retrying, running, dead, oldest_ready_at, paused, pause_reason,
-- paused_by, paused_at, count_exact. Of long lines counts are estimates (see queue.overview) and
-- count_exact is FALSE; running is exact. Who is kept to one tenant has its own jobs counted one by
-- one. Index: those of queue.overview. Locks: none.
SELECT q.name AS queue, coalesce(o.ready, 0) AS ready, coalesce(o.scheduled, 0) AS scheduled,
       coalesce(o.retrying, 0) AS retrying, coalesce(u.running, 0) AS running,
       coalesce(o.dead, 0) AS dead, o.oldest_waiting_at AS oldest_ready_at,
       q.paused_at IS NOT NULL AS paused, q.pause_reason, q.paused_by, q.paused_at,
       coalesce(o.count_exact, true) AS count_exact
FROM queue.queue q
LEFT JOIN queue.overview() o ON o.queue = q.name
LEFT JOIN (
    SELECT l.queue_id, count(*) AS running
    FROM queue.lease s
    CROSS JOIN LATERAL unnest(s.job_ids) t (job_id)
    JOIN queue.job j ON j.id = t.job_id
    JOIN queue.line l ON l.id = j.line_id
    WHERE NOT EXISTS (SELECT FROM queue.attempt a
                      WHERE a.job_id = t.job_id AND a.lease_id = s.id)
    GROUP BY l.queue_id) u ON u.queue_id = q.id
WHERE queue.current_tenant() IS NULL
UNION ALL
SELECT s.queue, s.ready, s.scheduled, s.retrying, s.running, s.dead, s.oldest_ready_at, s.paused,
       s.pause_reason, s.paused_by, s.paused_at, true
FROM queue.queue_stats s
WHERE queue.current_tenant() IS NOT NULL
ORDER BY 1
