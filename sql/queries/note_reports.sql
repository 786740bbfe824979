-- What the jobs of a turn said of the providers behind their limits.
-- $1 bigint worker  $2 int turn connection  by limit and key, each once: $3 text[] limit
-- $4 text[] key  $5 bigint[] era of the circuit  $6 bigint[] requests  $7 bigint[] errors
-- $8 bigint[] closed for so long, in µs (0: not)  $9 text[] reason. Rows: none that matter.
-- Index: limit_rule_pkey, limit_tally_pkey, limit_breaker_pkey. Locks: its own rows.
SELECT queue.note_reports($1::bigint, $2::int, $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                          $7::bigint[], $8::bigint[], $9::text[])
