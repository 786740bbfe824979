-- A worker's sign of life, and in the same round what it must know of the others and of the lines.
-- $1 bigint worker  $2 int active  $3 text state  $4 jsonb slots
-- Rows: none when others declared this worker dead; else one of every worker as in list_liveness,
-- its own included, each with two columns more: the number of lines, which grows when one is
-- opened, and the µs until the next schedule is due (NULL: none ever is).
-- Index: worker_pkey, schedule_next_at_idx. Locks: the worker row.
WITH beat AS (
    UPDATE queue.worker w
    SET beats = w.beats + 1, beat_at = clock_timestamp(), active = $2::int, state = $3::text,
        slots = $4::text::jsonb
    WHERE w.id = $1::bigint
    RETURNING w.id)
SELECT w.id, w.beats, w.heartbeat_ms, w.lease_ms, false AS session_gone, w.ended,
       least(w.heartbeat_ms, greatest(0, extract(epoch FROM clock_timestamp() - w.beat_at) * 1000))
           ::int AS beat_age_ms,
       (SELECT count(*) FROM queue.line) AS lines,
       (SELECT (extract(epoch FROM min(s.next_at) - clock_timestamp()) * 1000000)::bigint
        FROM queue.schedule s) AS schedule_wait_us
FROM queue.worker w
WHERE EXISTS (SELECT FROM beat)
