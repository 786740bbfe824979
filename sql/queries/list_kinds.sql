-- Kinds that live workers handle.
-- No parameters. Rows: kind, workers, queues (JSON array of the queues they serve). Reads the
-- workers, of which there are few. Index: none needed. Locks: none.
SELECT k.kind, count(DISTINCT w.id) AS workers,
       coalesce(jsonb_agg(DISTINCT q.queue) FILTER (WHERE q.queue IS NOT NULL), '[]') AS queues
FROM queue.worker w
CROSS JOIN LATERAL unnest(w.kinds) AS k (kind)
LEFT JOIN LATERAL unnest(w.queues) AS q (queue) ON true
WHERE w.beat_at > clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0)
GROUP BY k.kind
ORDER BY k.kind
