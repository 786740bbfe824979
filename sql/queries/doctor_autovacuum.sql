-- Whether the server cleans up behind us.
-- No parameters. Rows: severity, found, cure (text). Index: the catalog's. Locks: none.
SELECT 'warning' AS severity, format('%s = off: dead rows are never removed', s.name) AS found,
       format('psql -c ''ALTER SYSTEM SET %s = on'' -c ''SELECT pg_reload_conf()''', s.name) AS cure
FROM pg_settings s
WHERE s.name IN ('autovacuum', 'track_counts')
  AND s.setting = 'off'
UNION ALL
SELECT 'warning', format('autovacuum is off for table %s', c.relname),
       format('psql -c ''ALTER TABLE %s RESET (autovacuum_enabled)''', c.oid::regclass)
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(rtrim('queue.', '.'))
  AND 'autovacuum_enabled=false' = ANY (c.reloptions)
