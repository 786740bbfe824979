-- The lines of some queues. $1 int[] queues. Rows: id, queue_id, kind, priority.
-- Index: none, the table is small. Locks: none.
SELECT l.id, l.queue_id, l.kind, l.priority
FROM queue.line l
WHERE l.queue_id = ANY ($1::int[])
ORDER BY l.id
