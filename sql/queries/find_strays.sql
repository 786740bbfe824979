-- Jobs in line behind the cursors. May step over many dead entries when an old snapshot is held,
-- so it runs on the maintenance connection only, and seldom when it was slow.
-- $1 int[] lines  $2 timestamptz[] cursor time by line  $3 bigint[] cursor id by line
-- $4 int most by line
-- Rows: line_id, run_at, id. Index: ready_pkey. Locks: none.
SELECT r.line_id, r.run_at, r.id
FROM unnest($1::int[], $2::timestamptz[], $3::bigint[]) AS w (line_id, before_run_at, before_id)
CROSS JOIN LATERAL (
    SELECT x.line_id, x.run_at, x.id
    FROM queue.ready x
    WHERE x.line_id = w.line_id
      AND (x.run_at, x.id) <= (w.before_run_at, w.before_id)
    ORDER BY x.run_at, x.id
    LIMIT $4::int) r
