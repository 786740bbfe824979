-- Marks queues as having a sleeper beside them for so long, or (0) as having none.
-- $1 int[] queues  $2 bigint ms
-- Index: queue_pkey. Locks: none; a sequence is no row.
SELECT setval(q.doorbell, CASE WHEN $2::bigint = 0 THEN 0
    ELSE (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $2::bigint END)
FROM queue.queue q
WHERE q.id = ANY ($1::int[])
