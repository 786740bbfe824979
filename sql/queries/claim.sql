-- Takes due jobs out of line and into one new lease of this worker. Nothing while the queue is
-- paused. Lines are visited in the order given (by priority, then the one furthest behind) and the
-- scan stops as soon as enough is found.
-- $1 bigint worker  $2 int queue  $3 int[] lines  $4 timestamptz[] cursor time by line
-- $5 bigint[] cursor id by line  $6 int[] most by line  $7 int most in all
-- $8 timestamptz now (NULL: the database clock)
-- Rows: lease, id, line_id, run_at, attempt, reconcile, created_at, max_attempts, tenant_id,
-- payload, meta. The cursors are hints: rows behind them are found by find_strays.
-- Index: ready_pkey (a short range per line), job_pkey. Locks: the rows taken, SKIP LOCKED.
WITH taken AS (
    DELETE FROM queue.ready
    WHERE ctid = ANY (ARRAY(
        SELECT r.place
        FROM unnest($3::int[], $4::timestamptz[], $5::bigint[], $6::int[])
             AS w (line_id, after_run_at, after_id, most)
        CROSS JOIN LATERAL (
            SELECT x.ctid AS place
            FROM queue.ready x
            WHERE x.line_id = w.line_id
              AND (x.run_at, x.id) > (w.after_run_at, w.after_id)
              AND x.run_at <= coalesce($8::timestamptz, now())
            ORDER BY x.run_at, x.id
            LIMIT w.most
            FOR UPDATE SKIP LOCKED) r
        WHERE (SELECT q.paused_at IS NULL FROM queue.queue q WHERE q.id = $2::int)
        LIMIT $7::int))
    RETURNING id, line_id, run_at, attempt, reconcile),
claimed AS (
    INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts)
    SELECT nextval('queue.lease_id_seq'), $1::bigint, now(), array_agg(t.id), array_agg(t.attempt)
    FROM taken t
    HAVING count(*) > 0
    RETURNING id),
-- Ids that lie close together, as those of a backlog do, are read as one range: half the price of
-- a lookup each.
span AS (
    SELECT min(t.id) AS low, max(t.id) AS high, max(t.id) - min(t.id) < 2 * count(*) AS dense
    FROM taken t),
-- OFFSET 0: by index, whatever the statistics say; a plan made while the table was empty would
-- otherwise read all of it for as long as it is kept.
facts AS NOT MATERIALIZED (
    SELECT j.*
    FROM span s
    CROSS JOIN LATERAL (
        SELECT x.* FROM queue.job x WHERE x.id BETWEEN s.low AND s.high OFFSET 0) j
    WHERE s.dense
    UNION ALL
    SELECT j.*
    FROM taken t
    CROSS JOIN LATERAL (SELECT x.* FROM queue.job x WHERE x.id = t.id OFFSET 0) j
    WHERE NOT (SELECT s.dense FROM span s))
SELECT c.id AS lease, t.id, t.line_id, t.run_at, t.attempt, t.reconcile,
       j.created_at, j.max_attempts, j.tenant_id::text AS tenant_id, j.payload::text AS payload,
       j.meta::text AS meta
FROM taken t
CROSS JOIN claimed c
JOIN facts j ON j.id = t.id
