-- $1 bigint worker  $2 int active  $3 text state  $4 jsonb slots
-- Rows: one while the worker is registered; none: others declared it dead. Index: worker_pkey.
-- Locks: the worker row.
UPDATE queue.worker w
SET beats = w.beats + 1, beat_at = clock_timestamp(), active = $2::int, state = $3::text,
    slots = $4::text::jsonb
WHERE w.id = $1::bigint
RETURNING w.beats
