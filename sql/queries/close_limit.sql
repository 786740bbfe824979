-- Nothing of a key starts for a time. $1 text name  $2 text key  $3 bigint for so long, in µs
-- $4 text reason. One row: until when it is closed.
-- Index: limit_rule_pkey, limit_tally_pkey. Locks: a row of its own.
SELECT queue.limit_close($1::text, $2::text, $3::bigint * interval '1 microsecond', $4::text)
