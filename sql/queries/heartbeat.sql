-- A worker's sign of life, and in the same round what it must know of the others and of the lines.
-- $1 bigint worker  $2 int active  $3 text state  $4 jsonb slots
-- Rows: none when others declared this worker dead; else one of every worker as in list_liveness,
-- its own included, each with the number of lines as the last column: it grows when one is opened.
-- Index: worker_pkey. Locks: the worker row.
WITH beat AS (
    UPDATE queue.worker w
    SET beats = w.beats + 1, beat_at = clock_timestamp(), active = $2::int, state = $3::text,
        slots = $4::text::jsonb
    WHERE w.id = $1::bigint
    RETURNING w.id)
SELECT w.id, w.beats, w.heartbeat_ms, w.lease_ms, false AS session_gone, w.ended,
       least(w.heartbeat_ms, greatest(0, extract(epoch FROM clock_timestamp() - w.beat_at) * 1000))
           ::int AS beat_age_ms,
       (SELECT count(*) FROM queue.line) AS lines
FROM queue.worker w
WHERE EXISTS (SELECT FROM beat)
