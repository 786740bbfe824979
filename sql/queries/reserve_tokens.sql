-- Reserves tokens. $1 text name  $2 int tokens  $3 text key  $4 bigint at most so long, in µs.
-- One row: granted, wait in µs (NULL: stopped). Index: limit_rule_pkey, limit_bucket_pkey.
-- Locks: the limit's row.
SELECT g.granted, ceil(extract(epoch FROM g.wait) * 1000000)::bigint AS wait_us
FROM queue.limit_reserve($1::text, $2::int, $3::text, $4::bigint * interval '1 microsecond') g
