-- Fires schedules that are due, for about the time given.
-- $1 int time limit in ms  $2 int schedules at most
-- One row: jobs enqueued, slots passed over, schedules that could not fire, what is wrong with one
-- of those, and the µs until the next is due (NULL: none ever is; not above 0: there is more to do
-- now, or another worker is at it).
-- Index: schedule_next_at_idx, schedule_run_pkey. Locks: the schedules that fire, SKIP LOCKED.
SELECT f.fired, f.skipped, f.failed, f.problem, f.wait_us
FROM queue.fire_schedules(NULL, $1::int * interval '1 millisecond', $2::int) f
