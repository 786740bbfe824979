-- Prepared transactions that nobody finishes: they hold locks and dead rows until somebody does,
-- over restarts, too.
-- $1 double precision seconds
-- Rows: severity, found, cure (text). Index: none. Locks: none.
SELECT 'warning' AS severity,
       format('prepared transaction %s of %s has waited since %s', p.gid, p.owner,
              date_trunc('second', p.prepared)) AS found,
       format('psql -d %s -c "ROLLBACK PREPARED %L"', p.database, p.gid) AS cure
FROM pg_prepared_xacts p
WHERE p.database = current_database()
  AND p.prepared < clock_timestamp() - make_interval(secs => $1::double precision)
ORDER BY p.prepared
LIMIT 20
