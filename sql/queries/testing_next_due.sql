-- Test kit: the next due job of these kinds, by priority and age. Paused queues wait.
-- $1 text[] kinds. At most one row: id. Index: none, reads the whole line. Locks: none.
SELECT r.id
FROM queue.ready r
JOIN queue.line l ON l.id = abs(r.line_id)
JOIN queue.queue q ON q.id = l.queue_id
WHERE l.kind = ANY ($1::text[]) AND r.run_at <= clock_timestamp() AND q.paused_at IS NULL
ORDER BY l.priority, r.run_at, r.id
LIMIT 1
