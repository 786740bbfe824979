-- Test kit: where a waiting job stands in line.
-- $1 bigint job. At most one row: line_id int (minus: a suspect), run_at bigint (µs since 2000),
-- queue_id int, queue text, kind text, priority int, paused boolean.
-- Index: none, reads the whole line. Locks: none.
SELECT r.line_id,
       (extract(epoch FROM r.run_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint
           AS run_at,
       l.queue_id, q.name AS queue, l.kind, l.priority::int AS priority,
       q.paused_at IS NOT NULL AS paused
FROM queue.ready r
JOIN queue.line l ON l.id = abs(r.line_id)
JOIN queue.queue q ON q.id = l.queue_id
WHERE r.id = $1::bigint
