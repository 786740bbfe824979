-- Every queue with what stands in it, worst first. No parameters. Rows: the columns of
-- queue.overview(). Index: ready_pkey, dead_letter_queue_idx, job_pkey; a sample of the pages of
-- queue.ready where lines are long. Locks: none.
SELECT o.queue, o.ready, o.scheduled, o.retrying, o.running, o.dead, o.count_exact,
       o.oldest_waiting_at, o.oldest_waiting_seconds, o.objective_seconds, o.late,
       o.finished_per_minute, o.failed_percent, o.paused, o.pause_reason, o.paused_by, o.paused_at,
       o.workers, o.concurrency
FROM queue.overview() o
