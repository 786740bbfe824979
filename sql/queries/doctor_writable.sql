-- Whether jobs can be written on this server at all.
-- No parameters. Rows: severity, found, cure (text). Index: none. Locks: none.
SELECT 'error' AS severity, 'the server is a standby: nothing can be enqueued or claimed' AS found,
       'add target_session_attrs=read-write and all hosts to the connection string' AS cure
WHERE pg_is_in_recovery()
UNION ALL
SELECT 'error', 'default_transaction_read_only is on for this role or database',
       format('psql -c ''ALTER ROLE %I SET default_transaction_read_only = off''', current_user)
WHERE current_setting('default_transaction_read_only') = 'on' AND NOT pg_is_in_recovery()
UNION ALL
SELECT 'error', format('PostgreSQL %s: expected 15 or newer', current_setting('server_version')),
       'upgrade the server'
WHERE current_setting('server_version_num')::integer < 150000
