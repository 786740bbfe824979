-- Migrations applied, in order.
-- No parameters. Rows: number integer, name, checksum, breaking boolean, applied_at (ISO 8601).
-- Index: migration_pkey. Locks: none.
SELECT m.number, m.name, m.checksum, m.breaking,
       to_char(m.applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS applied_at
FROM queue.migration m
ORDER BY m.number
