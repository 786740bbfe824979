-- Queues that are paused.
-- No parameters. Rows: severity, found, cure (text). Index: none needed. Locks: none.
SELECT 'warning' AS severity,
       format('queue %s has been paused since %s by %s%s', q.name,
              date_trunc('second', q.paused_at), coalesce(q.paused_by, 'somebody'),
              coalesce(': ' || nullif(q.pause_reason, ''), '')) AS found,
       format('qctl queues resume %s', q.name) AS cure
FROM queue.queue q
WHERE q.paused_at IS NOT NULL
ORDER BY q.name
