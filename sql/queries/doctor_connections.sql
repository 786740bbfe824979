-- How many more connections there is room for.
-- No parameters. Rows: severity, found, cure (text). Index: none. Locks: none.
WITH room AS (
    SELECT 'the server' AS whose, (SELECT count(*) FROM pg_stat_activity a
                                   WHERE a.backend_type = 'client backend') AS used,
           current_setting('max_connections')::integer
           - current_setting('superuser_reserved_connections')::integer AS most,
           'psql -c ''ALTER SYSTEM SET max_connections = 400'' and restart, or a pooler' AS cure
    UNION ALL
    SELECT format('database %s', d.datname),
           (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid), d.datconnlimit,
           format('psql -c ''ALTER DATABASE %I CONNECTION LIMIT -1''', d.datname)
    FROM pg_database d
    WHERE d.datname = current_database()
    UNION ALL
    SELECT format('role %s', r.rolname),
           (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid), r.rolconnlimit,
           format('psql -c ''ALTER ROLE %I CONNECTION LIMIT -1''', r.rolname)
    FROM pg_roles r
    WHERE r.rolname = current_user)
SELECT CASE WHEN r.used > 0.95 * r.most THEN 'error' ELSE 'warning' END AS severity,
       format('%s of the %s connections of %s are in use', r.used, r.most, r.whose) AS found,
       r.cure
FROM room r
WHERE r.most > 0
  AND r.used > 0.8 * r.most
