-- Removes buckets that are full again (no row is a full bucket) and slots of workers that are gone
-- (they count for nothing since). $1 int most of each.
-- Index: limit_rule_pkey, worker_pkey. Locks: the rows removed.
WITH full_again AS (
    DELETE FROM queue.limit_bucket b
    WHERE b.ctid = ANY (ARRAY(
        SELECT x.ctid
        FROM queue.limit_bucket x
        LEFT JOIN queue.limit_rule r ON r.name = x.limit_name
        WHERE r.rate IS NULL
           OR greatest(x.planned_at, x.used_at) < now() - make_interval(secs => r.burst / r.rate)
        LIMIT $1::int
        FOR UPDATE OF x SKIP LOCKED)))
DELETE FROM queue.limit_slot s
WHERE s.ctid = ANY (ARRAY(
    SELECT x.ctid
    FROM queue.limit_slot x
    WHERE NOT EXISTS (SELECT FROM queue.worker w WHERE w.id = x.worker_id)
    LIMIT $1::int
    FOR UPDATE SKIP LOCKED))
