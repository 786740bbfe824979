-- The figures of the whole engine, one per row.
-- $1 integer pages of history to read at most: the rate is that of the time its end covers, so a
-- long history costs no more than a short one.
-- Rows: name text, scope text (queue, table, who holds the oldest snapshot, or NULL), value double
-- precision.
-- Index: none; the end of attempt by TID range. Locks: none.
WITH history AS MATERIALIZED (
    SELECT a.outcome, a.finished_at
    FROM queue.attempt a
    WHERE a.ctid >= (SELECT format('(%s,0)', greatest(
                         0, pg_relation_size('queue.attempt')
                            / current_setting('block_size')::bigint - $1::integer))::tid)
      AND a.finished_at > now() - interval '1 hour'
      AND a.outcome NOT IN ('replayed', 'snoozed')),
span AS (
    SELECT w.name, count(h.finished_at) AS finished,
           count(h.finished_at) FILTER (WHERE h.outcome = 'completed') AS completed,
           count(h.finished_at) FILTER (
               WHERE h.outcome IN ('failed', 'discarded', 'unknown', 'lost')) AS failed,
           -- What was read may reach back less far than was asked.
           greatest(1, least(w.seconds, CASE
               WHEN pg_relation_size('queue.attempt')
                    / current_setting('block_size')::bigint <= $1::integer THEN w.seconds
               ELSE extract(epoch FROM now() - min(h.finished_at)) END)) AS seconds
    FROM (VALUES ('1m', 60), ('1h', 3600)) w (name, seconds)
    LEFT JOIN history h ON h.finished_at > now() - make_interval(secs => w.seconds)
    GROUP BY w.name, w.seconds),
stats AS (
    SELECT s.queue, s.ready, s.scheduled, s.retrying, s.running, s.dead,
           greatest(0, extract(epoch FROM now() - s.oldest_ready_at)) AS oldest
    FROM queue.queue_stats s)
SELECT f.name, f.scope, f.value::double precision AS value
FROM (
    SELECT v.place, v.name, s.queue AS scope, v.value
    FROM stats s
    CROSS JOIN LATERAL (VALUES
        (1, 'ready', s.ready), (2, 'scheduled', s.scheduled), (3, 'retrying', s.retrying),
        (4, 'running', s.running), (5, 'dead', s.dead),
        (6, 'oldest_ready_seconds', coalesce(s.oldest, 0))) v (place, name, value)
    UNION ALL
    SELECT v.place, v.name || s.name, NULL, v.value
    FROM span s
    CROSS JOIN LATERAL (VALUES
        (10, 'finished_per_second_', s.finished / s.seconds),
        (11, 'completed_per_second_', s.completed / s.seconds),
        (12, 'failed_per_second_', s.failed / s.seconds)) v (place, name, value)
    UNION ALL
    SELECT 20, 'workers_live', NULL, count(*) FILTER (
               WHERE k.beat_at > clock_timestamp() - make_interval(secs => k.lease_ms / 1000.0))
    FROM queue.worker k
    UNION ALL
    SELECT 21, 'table_bytes', c.relname, pg_total_relation_size(c.oid)
    FROM pg_class c
    WHERE c.relnamespace = (SELECT p.relnamespace FROM pg_class p
                            WHERE p.oid = 'queue.job'::regclass)
      AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT 22, 'dead_rows', t.relname, t.n_dead_tup
    FROM pg_stat_all_tables t
    WHERE t.relid IN (SELECT c.oid FROM pg_class c
                      WHERE c.relkind = 'r'
                        AND c.relnamespace = (SELECT p.relnamespace FROM pg_class p
                                              WHERE p.oid = 'queue.job'::regclass))
    UNION ALL
    SELECT 23, 'oldest_transaction_seconds', NULL,
           coalesce(max(extract(epoch FROM clock_timestamp() - x.xact_start)), 0)
    FROM pg_stat_activity x
    WHERE x.xact_start IS NOT NULL AND x.pid <> pg_backend_pid()
    UNION ALL
    SELECT 24, 'oldest_snapshot_seconds', o.holder, o.seconds
    FROM queue.oldest_snapshot() o
    UNION ALL
    SELECT 25, 'retention_round_seconds_ago', NULL,
           extract(epoch FROM clock_timestamp() - w.round_ended_at)
    FROM queue.retention_walk w
    WHERE isfinite(w.round_ended_at)) f
ORDER BY f.place, f.scope, f.name
