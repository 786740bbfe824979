-- Sets what one turn connection holds of the limits' slots to exactly this, and says so when
-- somebody waits for one that was set free.
-- $1 bigint worker  $2 int turn connection  by limit and key: $3 text[] limit  $4 text[] key
-- $5 int[] held. Rows: none that matter. Index: limit_slot_pkey. Locks: its own rows.
WITH now_held AS MATERIALIZED (
    SELECT u.limit_name, u.key, u.held
    FROM unnest($3::text[], $4::text[], $5::int[]) AS u (limit_name, key, held)),
freed AS (
    DELETE FROM queue.limit_slot s
    WHERE s.worker_id = $1::bigint AND s.lane = $2::int
      AND NOT EXISTS (SELECT FROM now_held n WHERE n.limit_name = s.limit_name AND n.key = s.key)
    RETURNING s.limit_name),
held AS (
    INSERT INTO queue.limit_slot AS s (limit_name, key, worker_id, lane, held)
    SELECT n.limit_name, n.key, $1::bigint, $2::int, n.held FROM now_held n
    ON CONFLICT ON CONSTRAINT limit_slot_pkey DO UPDATE SET held = excluded.held
    WHERE s.held <> excluded.held
    RETURNING s.limit_name)
SELECT pg_notify('queue.wake', 'limit')
WHERE EXISTS (
    SELECT FROM queue.limit_rule r
    WHERE r.wanted_until > now()
      AND r.name IN (SELECT f.limit_name FROM freed f UNION ALL SELECT h.limit_name FROM held h))
