-- A tenant. $1 text name. One row: its id.
-- Index: tenant_name_key. Locks: its new row; the head of the audit.
SELECT queue.create_tenant($1::text)
