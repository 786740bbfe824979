-- Every queue with what stands in it.
-- No parameters. Rows: the columns of queue.queue_stats. Reads the whole line, the leases and the
-- dead letters. Index: none needed. Locks: none.
SELECT s.queue, s.ready, s.scheduled, s.retrying, s.running, s.dead, s.oldest_ready_at, s.paused,
       s.pause_reason, s.paused_by, s.paused_at
FROM queue.queue_stats s
ORDER BY s.queue
