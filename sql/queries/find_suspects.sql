-- Do due suspects stand in these lines? One look at the head of each.
-- $1 int[] lines. Rows: one: found boolean (some may be claimed), closed boolean (some may not: a
-- limit of theirs is stopped or has no slot left). Index: ready_pkey. Locks: none.
SELECT coalesce(bool_or(NOT s.closed), false) AS found, coalesce(bool_or(s.closed), false) AS closed
FROM (
    SELECT queue.line_closed(w.line_id) AS closed
    FROM unnest($1::int[]) AS w (line_id)
    CROSS JOIN LATERAL (
        SELECT x.id
        FROM queue.ready x
        WHERE x.line_id = -w.line_id AND x.run_at <= now()
        ORDER BY x.run_at, x.id
        LIMIT 1) r) s
