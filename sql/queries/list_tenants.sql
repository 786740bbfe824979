-- All tenants this transaction may see, by name. No parameters. Rows: id, name, created_at.
-- Index: none, tenants are few. Locks: none.
SELECT t.id, t.name, t.created_at
FROM queue.tenant t
ORDER BY t.name
