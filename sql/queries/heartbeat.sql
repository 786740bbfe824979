-- A worker's sign of life, and in the same round what it must know of the others and of the lines.
-- $1 bigint worker  $2 int active  $3 text state  $4 jsonb slots  $5 bigint the next schedule as
-- far as is known (µs since 2000): none before it is looked for. NULL: nothing is known.
-- $6 bigint tallies of batches up to this one are folded. NULL: do not look for others.
-- Rows: none when others declared this worker dead; else one of every worker as in list_liveness,
-- its own included, each with columns more: the number of lines and keyed queues, which only grows,
-- and when the next schedule is due (µs since 2000; NULL: none ever is) and in how many µs; and
-- whether something of a batch is to be folded; and what an operator asked of this worker: quiet,
-- drain, stop, or nothing.
-- Index: worker_pkey, schedule_next_at_idx, batch_tally_pkey. Locks: the worker row.
WITH beat AS (
    UPDATE queue.worker w
    SET beats = w.beats + 1, beat_at = clock_timestamp(), active = $2::int, state = $3::text,
        slots = $4::text::jsonb
    WHERE w.id = $1::bigint
    RETURNING w.id, w.asked)
SELECT w.id, w.beats, w.heartbeat_ms, w.lease_ms, false AS session_gone, w.ended,
       least(w.heartbeat_ms, greatest(0, extract(epoch FROM clock_timestamp() - w.beat_at) * 1000))
           ::int AS beat_age_ms,
       (SELECT count(*) FROM queue.line) + (SELECT count(*) FROM queue.keyed_queue) AS lines,
       (extract(epoch FROM n.next_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint
           AS schedule_at,
       (extract(epoch FROM n.next_at - clock_timestamp()) * 1000000)::bigint AS schedule_wait_us,
       (SELECT t.id FROM queue.batch_tally t WHERE t.id > $6::bigint ORDER BY t.id LIMIT 1)
           IS NOT NULL AS batches,
       (SELECT b.asked FROM beat b) AS asked
FROM queue.worker w
CROSS JOIN (
    SELECT min(s.next_at) AS next_at
    FROM queue.schedule s
    WHERE s.next_at >= coalesce(
        timestamptz '2000-01-01 00:00:00+00' + $5::bigint * interval '1 microsecond',
        '-infinity')) n
WHERE EXISTS (SELECT FROM beat)
