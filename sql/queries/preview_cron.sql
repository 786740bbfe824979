-- The next slots an expression names. $1 text cron  $2 int how many  $3 text timezone.
-- Rows: µs since 1970, ascending. Raises LQ001.
-- Index: none. Locks: none.
SELECT (extract(epoch FROM f.slot) * 1000000)::bigint
FROM queue.preview_cron($1::text, $2::int, $3::text) f (slot)
