-- Writes the audit record of an action of this transaction's principal.
-- $1 text action, $2 text target or NULL, $3 jsonb detail or NULL. One row, nothing in it.
-- Index: audit_head_pkey. Locks: the row of queue.audit_head until the end of the transaction, so
-- it comes last in it.
SELECT queue.record_action($1::text, $2::text, $3::jsonb)
