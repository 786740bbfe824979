-- The head of the audit, to be kept elsewhere. No parameters. No row while nothing was recorded,
-- or one: anchor (ID:HASH).
-- Index: none, one row. Locks: none.
SELECT format('%s:%s', h.id, encode(h.hash, 'hex')) AS anchor
FROM queue.audit_head h
WHERE h.id > 0
