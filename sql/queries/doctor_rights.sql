-- What the connected role may not do, of what running jobs needs.
-- No parameters. Rows: severity, found, cure (text). Index: the catalog's. Locks: none.
WITH place AS (
    SELECT n.oid, n.nspname AS name
    FROM pg_namespace n
    WHERE n.oid = to_regnamespace(rtrim('queue.', '.'))),
engine AS (SELECT rtrim('queue.', '.') || '_engine' AS name),
lacking AS (
    SELECT 'TABLES' AS what, 'SELECT, INSERT, UPDATE, DELETE' AS needed, c.relname AS name
    FROM pg_class c
    JOIN place p ON p.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
      -- Written by functions alone.
      AND c.relname NOT IN ('audit', 'audit_head', 'audit_entry', 'api_token', 'table_rule',
                            'function_rule')
      AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
               AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
    UNION ALL
    SELECT 'SEQUENCES', 'USAGE, SELECT, UPDATE', c.relname
    FROM pg_class c
    JOIN place p ON p.oid = c.relnamespace
    -- Two steps: on what is no sequence the question is an error.
    WHERE CASE WHEN c.relkind = 'S' THEN NOT (
              has_sequence_privilege(c.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT')
              AND has_sequence_privilege(c.oid, 'UPDATE')) ELSE false END
    UNION ALL
    SELECT 'FUNCTIONS', 'EXECUTE', f.proname
    FROM pg_proc f
    JOIN place p ON p.oid = f.pronamespace
    WHERE NOT has_function_privilege(f.oid, 'EXECUTE'))
SELECT 'error' AS severity,
       format('role %s has no USAGE on schema %s', current_user, p.name) AS found,
       format('psql -c ''GRANT USAGE ON SCHEMA %I TO %I''', p.name, current_user) AS cure
FROM place p
WHERE NOT has_schema_privilege(p.oid, 'USAGE')
UNION ALL
SELECT 'warning',
       format('role %s may not %s %s of %s, such as %s: a worker could not run with it',
              current_user, l.needed, count(*), lower(l.what), min(l.name)),
       CASE WHEN to_regrole(e.name) IS NULL
            THEN format('psql -c ''GRANT %s ON ALL %s IN SCHEMA %I TO %I''', l.needed, l.what,
                        p.name, current_user)
            ELSE format('psql -c ''GRANT %I TO %I''', e.name, current_user) END
FROM lacking l
CROSS JOIN place p
CROSS JOIN engine e
GROUP BY l.what, l.needed, p.name, e.name
UNION ALL
SELECT 'error',
       format('role %s is no member of %s: row-level security shows it no job', current_user,
              e.name),
       CASE WHEN to_regrole(e.name) IS NULL THEN 'qctl roles install'
            ELSE format('psql -c ''GRANT %I TO %I''', e.name, current_user) END
FROM engine e
CROSS JOIN place p
JOIN pg_class c ON c.relnamespace = p.oid AND c.relname = 'job'
-- By oid: NULL, and no error, where there is no such role.
WHERE row_security_active(c.oid)
  AND NOT coalesce(pg_has_role(current_user, to_regrole(e.name)::oid, 'USAGE'), false)
UNION ALL
SELECT 'note',
       format('role %s cannot see other sessions: their transactions are not looked at',
              current_user),
       format('psql -c ''GRANT pg_read_all_stats TO %I''', current_user)
WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE')
