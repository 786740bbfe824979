-- Test kit: fires all that is due at a time. $1 timestamptz. Rows: jobs enqueued.
-- Index: schedule_next_at_idx. Locks: the schedules that fire.
SELECT f.fired
FROM queue.fire_schedules($1::timestamptz, interval '1 minute', 100000) f
