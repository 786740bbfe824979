-- Worker processes known to the database, longest-running first.
-- No parameters. Rows: id, name, state, live (its heartbeat is younger than its lease), host, pid,
-- version, active, queues, kinds, slots, started_at, beat_at, asked (quiet, drain or stop: what an
-- operator asked of it; NULL: nothing). Index: none needed. Locks: none.
SELECT w.id, w.name, w.state,
       w.beat_at > clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0) AS live,
       w.host, w.pid, w.version, w.active, to_jsonb(w.queues) AS queues,
       to_jsonb(w.kinds) AS kinds, w.slots, w.started_at, w.beat_at, w.asked
FROM queue.worker w
ORDER BY w.id
