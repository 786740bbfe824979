-- Do due suspects stand in these lines that may be claimed? One look at the head of each.
-- $1 int[] lines. Rows: one, found boolean. Index: ready_pkey. Locks: none.
SELECT EXISTS (
    SELECT
    FROM unnest($1::int[]) AS w (line_id)
    CROSS JOIN LATERAL (
        SELECT x.id
        FROM queue.ready x
        WHERE x.line_id = -w.line_id AND x.run_at <= now()
        ORDER BY x.run_at, x.id
        LIMIT 1) r
    WHERE NOT queue.line_stopped(w.line_id)) AS found
