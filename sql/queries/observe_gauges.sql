-- What can be measured of the whole database, one row per series, for whoever publishes metrics.
-- No parameters. Rows: name text, labels jsonb (an object of texts), value double precision.
-- Index: none; counts what stands in line, as queue.queue_stats does. Locks: none.
WITH live AS (
    SELECT k.id, k.queues, k.slots FROM queue.worker k
    WHERE k.beat_at > clock_timestamp() - make_interval(secs => k.lease_ms / 1000.0)),
served AS (
    SELECT q.name, count(k.id) AS workers,
           coalesce(sum((k.slots -> q.name ->> 'concurrency')::bigint), 0) AS concurrency,
           coalesce(sum((k.slots -> q.name ->> 'running')::bigint), 0) AS busy
    FROM queue.queue q LEFT JOIN live k ON q.name = ANY (k.queues)
    GROUP BY q.name),
stats AS MATERIALIZED (
    SELECT s.queue, s.ready, s.scheduled, s.retrying, s.running, s.dead, s.paused,
           greatest(0, coalesce(extract(epoch FROM now() - s.oldest_ready_at), 0)) AS oldest
    FROM queue.queue_stats s)
SELECT g.name, g.labels, g.value::double precision AS value
FROM (
    SELECT 'libqueue_queue_jobs' AS name,
           jsonb_build_object('queue', s.queue, 'state', v.state) AS labels, v.value
    FROM stats s
    CROSS JOIN LATERAL (VALUES
        ('ready', s.ready), ('scheduled', s.scheduled), ('retrying', s.retrying),
        ('running', s.running), ('dead', s.dead)) v (state, value)
    UNION ALL
    SELECT v.name, jsonb_build_object('queue', s.queue), v.value
    FROM stats s
    CROSS JOIN LATERAL (VALUES
        ('queue_size', s.ready + s.scheduled + s.retrying),
        ('queue_active_jobs', s.running),
        ('oldest_job_age_seconds', s.oldest),
        ('libqueue_queue_oldest_waiting_seconds', s.oldest),
        ('libqueue_queue_paused', s.paused::integer)) v (name, value)
    UNION ALL
    SELECT v.name, jsonb_build_object('queue', r.name), v.value
    FROM served r
    CROSS JOIN LATERAL (VALUES
        ('libqueue_workers', r.workers),
        ('libqueue_queue_concurrency_limit_jobs', r.concurrency)) v (name, value)
    UNION ALL
    SELECT 'libqueue_worker_slots', jsonb_build_object('queue', r.name, 'state', v.state), v.value
    FROM served r
    CROSS JOIN LATERAL (VALUES
        ('busy', r.busy), ('free', greatest(0, r.concurrency - r.busy))) v (state, value)
    UNION ALL
    SELECT 'libqueue_job_ids_drawn', '{}', CASE WHEN j.is_called THEN j.last_value ELSE 0 END
    FROM queue.job_id_seq j
    UNION ALL
    SELECT 'libqueue_idempotency_total', jsonb_build_object('result', 'hit'),
           CASE WHEN h.is_called THEN h.last_value ELSE 0 END
    FROM queue.idempotency_hit_seq h
    UNION ALL
    SELECT 'libqueue_idempotency_total', jsonb_build_object('result', 'miss'),
           CASE WHEN m.is_called THEN m.last_value ELSE 0 END
    FROM queue.idempotency_miss_seq m
    UNION ALL
    (SELECT 'libqueue_limit_tokens', jsonb_build_object('limit', t.name), t.tokens
     FROM queue.limit_status t WHERE t.key = '' AND t.tokens IS NOT NULL
     ORDER BY t.name LIMIT 200)
    UNION ALL
    (SELECT 'circuit_breaker_state', jsonb_build_object('name', r.name),
            CASE WHEN bool_or(b.state = 'open') THEN 1
                 WHEN bool_or(b.state <> 'closed') THEN 2 ELSE 0 END
     FROM queue.limit_rule r LEFT JOIN queue.limit_breaker b ON b.limit_name = r.name
     WHERE r.breaker_ratio IS NOT NULL
     GROUP BY r.name ORDER BY r.name LIMIT 200)
    UNION ALL
    (SELECT 'libqueue_circuits_open', jsonb_build_object('limit', r.name),
            count(*) FILTER (WHERE b.state = 'open')
     FROM queue.limit_rule r LEFT JOIN queue.limit_breaker b ON b.limit_name = r.name
     WHERE r.breaker_ratio IS NOT NULL
     GROUP BY r.name ORDER BY r.name LIMIT 200)
    UNION ALL
    (SELECT 'libqueue_schedule_next_fire_timestamp_seconds', jsonb_build_object('name', h.name),
            extract(epoch FROM h.next_at)
     FROM queue.schedules h WHERE isfinite(h.next_at) AND NOT h.paused AND h.tenant_id IS NULL
     ORDER BY h.name LIMIT 200)
    UNION ALL
    SELECT v.name, jsonb_build_object('table', t.relname), v.value
    FROM pg_stat_all_tables t
    CROSS JOIN LATERAL (VALUES
        ('libqueue_db_dead_tuples', t.n_dead_tup::double precision),
        ('libqueue_db_table_bytes', pg_total_relation_size(t.relid)::double precision))
        v (name, value)
    WHERE t.schemaname = (SELECT n.nspname FROM pg_class c
                          JOIN pg_namespace n ON n.oid = c.relnamespace
                          WHERE c.oid = 'queue.job'::regclass)
      AND t.relname IN ('job', 'ready', 'lease', 'attempt', 'dead_letter', 'idempotency')
    UNION ALL
    SELECT 'libqueue_db_oldest_transaction_seconds', '{}',
           coalesce(max(extract(epoch FROM clock_timestamp() - x.xact_start)), 0)
    FROM pg_stat_activity x
    WHERE x.xact_start IS NOT NULL AND x.pid <> pg_backend_pid()
      AND x.datname = current_database()
    UNION ALL
    SELECT 'libqueue_db_connections', jsonb_build_object('state', coalesce(x.state, 'other')),
           count(*)
    FROM pg_stat_activity x
    WHERE x.datname = current_database() AND x.backend_type = 'client backend'
    GROUP BY 2
    UNION ALL
    SELECT 'libqueue_db_connections_max', '{}', current_setting('max_connections')::double precision
    UNION ALL
    SELECT 'libqueue_idempotency_keys', '{}', greatest(0, c.reltuples)
    FROM pg_class c WHERE c.oid = 'queue.idempotency'::regclass
    UNION ALL
    SELECT v.name, v.labels, v.value
    FROM queue.level v WHERE v.at > clock_timestamp() - interval '1 day'
    UNION ALL
    SELECT 'libqueue_alerts_open', jsonb_build_object('severity', v.severity),
           (SELECT count(*) FROM queue.alert a
            WHERE a.resolved_at IS NULL AND a.severity = v.severity)
    FROM (VALUES ('critical'), ('warning'), ('info')) v (severity)) g
ORDER BY g.name, g.labels
