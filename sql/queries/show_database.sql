-- How the database is. No parameters. One row: database, server_version, bytes, jobs (an estimate),
-- connections, max_connections, oldest_transaction_seconds, oldest_snapshot_seconds,
-- oldest_snapshot_holder, dead_rows, schema_version, workers_live, workers_silent, operations_open,
-- at. Index: none; statistics and catalogs. Locks: none.
SELECT current_database() AS database, current_setting('server_version') AS server_version,
       pg_database_size(current_database()) AS bytes,
       (SELECT greatest(0, c.reltuples)::bigint FROM pg_class c
        WHERE c.oid = 'queue.job'::regclass) AS jobs,
       (SELECT count(*) FROM pg_stat_activity a WHERE a.backend_type = 'client backend')
           AS connections,
       current_setting('max_connections')::integer AS max_connections,
       (SELECT max(extract(epoch FROM clock_timestamp() - a.xact_start))::double precision
        FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL)
           AS oldest_transaction_seconds,
       o.seconds::double precision AS oldest_snapshot_seconds, o.holder AS oldest_snapshot_holder,
       (SELECT sum(t.n_dead_tup)::bigint FROM pg_stat_all_tables t
        WHERE t.schemaname = (SELECT n.nspname FROM pg_class c
                              JOIN pg_namespace n ON n.oid = c.relnamespace
                              WHERE c.oid = 'queue.job'::regclass)) AS dead_rows,
       (SELECT max(m.number) FROM queue.migration m) AS schema_version,
       (SELECT count(*) FROM queue.worker w
        WHERE w.beat_at > clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0))
           AS workers_live,
       (SELECT count(*) FROM queue.worker w
        WHERE w.beat_at <= clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0))
           AS workers_silent,
       (SELECT count(*) FROM queue.operation p WHERE p.state IN ('pending', 'running'))
           AS operations_open,
       clock_timestamp() AS at
FROM (SELECT 1) one
LEFT JOIN LATERAL (SELECT s.seconds, s.holder FROM queue.oldest_snapshot() s
                   ORDER BY s.seconds DESC NULLS LAST LIMIT 1) o ON true
