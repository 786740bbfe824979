-- Erasures, the latest first. $1 int limit. Rows: as of queue.erasures.
-- Index: erasure_pkey. Locks: none.
SELECT e.id, e.asked_at, e.finished_at, e.asked_by, e.tenant_id, e.subject_hash, e.reason, e.jobs,
       e.attempts, e.dead_letters, e.archived, e.keys, e.cancelled, e.running
FROM queue.erasures e
ORDER BY e.id DESC
LIMIT $1::int
