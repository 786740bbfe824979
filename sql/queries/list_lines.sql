-- The lines of some queues. $1 int[] queues. Rows: id, queue_id, kind, priority, keyed (keys were
-- used in that queue).
-- Index: none, the table is small. Locks: none.
SELECT l.id, l.queue_id, l.kind, l.priority,
       EXISTS (SELECT FROM queue.keyed_queue k WHERE k.queue_id = l.queue_id) AS keyed
FROM queue.line l
WHERE l.queue_id = ANY ($1::int[])
ORDER BY l.id
