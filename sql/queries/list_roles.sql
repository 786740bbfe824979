-- The database's roles. No parameters. Rows: role, exists, member (this connection may act as it).
-- Index: pg_authid_rolname_index. Locks: none.
SELECT queue.role_name(w.which) AS role,
       to_regrole(queue.role_name(w.which)) IS NOT NULL AS exists,
       coalesce(pg_has_role(session_user, to_regrole(queue.role_name(w.which))::oid, 'MEMBER'),
                false) AS member
FROM unnest(ARRAY['engine', 'producer', 'operator', 'auditor']) w (which)
