-- Fires schedules that are due, for about the time given.
-- $1 int time limit in ms  $2 int schedules at most  $3 bigint go on behind this time (µs since
-- 2000) and  $4 bigint this id, where the last call ended; NULL: from the start.
-- One row: jobs enqueued, slots passed over, schedules that could not fire, what is wrong with one
-- of those, time and id of the last one looked at ($3 and $4 of the next call), time of the next
-- one behind it (NULL: there is none), and µs until then.
-- Index: schedule_next_at_idx, schedule_run_pkey. Locks: the schedules that fire, SKIP LOCKED.
SELECT f.fired, f.skipped, f.failed, f.problem,
       CASE WHEN isfinite(f.last_at)
            THEN (extract(epoch FROM f.last_at - e.epoch) * 1000000)::bigint END AS last_at,
       f.last_id,
       (extract(epoch FROM f.next_at - e.epoch) * 1000000)::bigint AS next_at,
       f.wait_us
FROM (VALUES (timestamptz '2000-01-01 00:00:00+00')) e (epoch)
CROSS JOIN LATERAL queue.fire_schedules(
    NULL, $1::int * interval '1 millisecond', $2::int,
    coalesce(e.epoch + $3::bigint * interval '1 microsecond', '-infinity'),
    coalesce($4::bigint, 0)) f
