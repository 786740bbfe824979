-- Transactions that have been open for long: vacuum can remove nothing that is younger.
-- $1 double precision seconds
-- Rows: severity, found, cure (text). Index: none. Locks: none.
SELECT 'warning' AS severity,
       format('process %s (%s, %s, %s) has had a transaction open for %s', a.pid, a.usename,
              coalesce(nullif(a.application_name, ''), 'unnamed'), coalesce(a.state, 'unknown'),
              date_trunc('second', clock_timestamp() - a.xact_start)) AS found,
       format('psql -c ''SELECT pg_terminate_backend(%s)''', a.pid) AS cure
FROM pg_stat_activity a
WHERE a.datname = current_database()
  AND a.pid <> pg_backend_pid()
  AND a.backend_type = 'client backend'
  AND a.xact_start < clock_timestamp() - make_interval(secs => $1::double precision)
ORDER BY a.xact_start
LIMIT 20
