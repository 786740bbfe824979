-- Recomputes the audit's chain. $1 bigint, $2 text: id and hash of an earlier head, or NULL.
-- One row: ok, checked, problem, at_id, head_id, head_hash.
-- Index: audit_pkey, all of it. Locks: none.
SELECT v.ok, v.checked, v.problem, v.at_id, v.head_id, v.head_hash
FROM queue.verify_audit($1::bigint, $2::text) v
