-- Removes the audit's records older than $1 bigint seconds. One row: how many.
-- Index: audit_pkey, audit_at_idx. Locks: the head of the audit; the rows.
SELECT queue.prune_audit(clock_timestamp() - make_interval(secs => $1::bigint))
