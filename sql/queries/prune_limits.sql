-- Removes buckets that are full again (no row is a full bucket) and slots of workers that are gone
-- (they count for nothing since), reports whose window is over, and circuits that have been closed
-- for longer than any run started under them may last. $1 int most of each.
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
        FOR UPDATE OF x SKIP LOCKED))),
told_long_ago AS (
    DELETE FROM queue.limit_tally t
    WHERE t.ctid = ANY (ARRAY(
        SELECT x.ctid
        FROM queue.limit_tally x
        LEFT JOIN queue.limit_rule r ON r.name = x.limit_name
        WHERE x.told_at < now() - 2 * coalesce(r.breaker_window, interval '1 minute')
          AND coalesce(x.closed_until < now(), true)
          -- What a probe said counts however long ago.
          AND NOT EXISTS (SELECT FROM queue.limit_breaker b
                          WHERE b.limit_name = x.limit_name AND b.key = x.key
                            AND b.state <> 'closed')
        LIMIT $1::int
        FOR UPDATE OF x SKIP LOCKED))),
closed_long_ago AS (
    DELETE FROM queue.limit_breaker b
    WHERE b.ctid = ANY (ARRAY(
        SELECT x.ctid
        FROM queue.limit_breaker x
        WHERE x.state = 'closed' AND x.changed_at < now() - interval '7 days'
        LIMIT $1::int
        FOR UPDATE SKIP LOCKED)))
DELETE FROM queue.limit_slot s
WHERE s.ctid = ANY (ARRAY(
    SELECT x.ctid
    FROM queue.limit_slot x
    WHERE NOT EXISTS (SELECT FROM queue.worker w WHERE w.id = x.worker_id)
    LIMIT $1::int
    FOR UPDATE SKIP LOCKED))
