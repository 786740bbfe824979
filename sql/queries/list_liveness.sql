-- What a rescuer watches: every worker's beat count, whether its session lock is free, and leases
-- whose worker is gone (beats NULL). Rows: id, beats, heartbeat_ms, lease_ms, session_gone,
-- ended (how it died, when somebody saw it), beat_age_ms (of its last beat; never over one
-- heartbeat, so that a step of the server's clock can mislead by no more).
-- Index: lease_worker_idx. The lock probe is taken and released within the statement.
SELECT w.id, w.beats, w.heartbeat_ms, w.lease_ms,
       w.session_lock AND NOT EXISTS (
           SELECT FROM pg_locks p
           WHERE p.locktype = 'advisory' AND p.granted AND p.objsubid = 1
             AND p.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
             AND (p.classid::bigint << 32 | p.objid::bigint)
                 = hashtextextended('queue.worker', w.id)) AS session_gone,
       w.ended,
       least(w.heartbeat_ms, greatest(0, extract(epoch FROM clock_timestamp() - w.beat_at) * 1000))
           ::int AS beat_age_ms
FROM queue.worker w
UNION ALL
SELECT DISTINCT s.worker_id, NULL::bigint, NULL::int, NULL::int, true, NULL, 0
FROM queue.lease s
WHERE NOT EXISTS (SELECT FROM queue.worker w WHERE w.id = s.worker_id)
