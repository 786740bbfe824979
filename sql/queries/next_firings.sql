-- The next slots of a schedule, paused or not. $1 text name  $2 int how many
-- $3 uuid tenant_id or NULL. Rows: µs since 1970, ascending. Raises LQ001, LQ005.
-- Index: schedule_name_key. Locks: none.
SELECT (extract(epoch FROM f.slot) * 1000000)::bigint
FROM queue.next_firings($1::text, $2::int, $3::uuid) f (slot)
