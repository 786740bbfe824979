-- Erases what is held of a subject. $1 text subject  $2 uuid tenant_id  $3 text reason
-- $4 boolean only count. One row: id of the erasure, and how many jobs, attempts, dead_letters,
-- archived, keys, cancelled, running.
-- Index: subject_hash_idx, then those of each table by job. Locks: the rows it changes.
SELECT e.id, e.jobs, e.attempts, e.dead_letters, e.archived, e.keys, e.cancelled, e.running
FROM queue.erase($1::text, $2::uuid, $3::text, $4::boolean) e
