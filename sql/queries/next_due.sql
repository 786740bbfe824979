-- How long until the next job of these lines is due, in µs (NULL: none waits).
-- $1 int[] lines  $2 timestamptz[] cursor time by line  $3 bigint[] cursor id by line
-- Index: ready_pkey (first entry of a range per line).
-- Locks: none.
SELECT (extract(epoch FROM min(r.run_at) - clock_timestamp()) * 1000000)::bigint AS wait_us
FROM unnest($1::int[], $2::timestamptz[], $3::bigint[]) AS w (line_id, after_run_at, after_id)
CROSS JOIN LATERAL (
    SELECT x.run_at
    FROM queue.ready x
    WHERE x.line_id = w.line_id AND (x.run_at, x.id) > (w.after_run_at, w.after_id)
    ORDER BY x.run_at, x.id
    LIMIT 1) r
