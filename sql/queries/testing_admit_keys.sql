-- Test kit: puts in line what its keys let in, in all queues. Rows: one per queue with keys.
-- Index: as admit_keys. Locks: as admit_keys.
SELECT a.admitted
FROM (SELECT DISTINCT k.queue_id FROM queue.keyed_queue k) q
CROSS JOIN LATERAL queue.admit_keys(q.queue_id) a
