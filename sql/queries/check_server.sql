-- What decides whether jobs may be run on this server and in this database.
-- No parameters. One row of text: fsync, full_page_writes, synchronous_commit,
-- allow_unsafe_durability (the server says of itself that it may lose data), is_here (t: nothing
-- says that this server is another), is_original (t: nor that this database of it is a copy),
-- recorded (where the queue was adopted), actual (where it is), name, role, role_fault (why it
-- could not keep tenants apart, or '').
-- Index: pg_database_datname_index, installation_pkey. Locks: none.
SELECT
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    coalesce(current_setting('libqueue.allow_unsafe_durability', true), 'off')
        AS allow_unsafe_durability,
    CASE WHEN i.is_here AND coalesce(i.system_identifier = s.identity, true)
         THEN 't' ELSE 'f' END AS is_here,
    CASE WHEN i.database_oid = d.oid THEN 't' ELSE 'f' END AS is_original,
    CASE WHEN i.is_here
         THEN format('system %s, database %s', coalesce(i.system_identifier, 'unknown'),
                     i.database_oid)
         ELSE 'nowhere' END AS recorded,
    format('system %s, database %s', coalesce(s.identity, 'unknown'), d.oid) AS actual,
    coalesce(i.name, '') AS name,
    current_user::text AS role,
    CASE
        WHEN r.rolsuper THEN 'a superuser, whom row-level security does not hold'
        WHEN r.rolbypassrls THEN 'one with BYPASSRLS'
        WHEN pg_has_role(current_user, t.relowner, 'MEMBER') THEN 'the owner of the tables'
        WHEN to_regrole(queue.role_name('operator')) IS NULL
             OR NOT (t.relrowsecurity AND t.relforcerowsecurity)
        THEN 'a database whose roles are not installed'
        WHEN NOT pg_has_role(current_user, to_regrole(queue.role_name('engine'))::oid, 'USAGE')
             OR NOT pg_has_role(current_user, to_regrole(queue.role_name('operator'))::oid,
                                'MEMBER')
        THEN format('none of %s and %s', queue.role_name('engine'), queue.role_name('operator'))
        ELSE '' END AS role_fault
FROM pg_database d
CROSS JOIN queue.server_identity() AS s (identity)
LEFT JOIN queue.installation i ON i.is_here
JOIN pg_roles r ON r.rolname = current_user
JOIN pg_class t ON t.oid = 'queue.job'::regclass
WHERE d.datname = current_database()
