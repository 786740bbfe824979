-- Requests made under a limit, for its circuit breaker.
-- $1 text name  $2 text key  $3 int requests  $4 int errors. Rows: none that matter.
-- Index: limit_rule_pkey, limit_breaker_pkey, limit_tally_pkey. Locks: a row of its own.
SELECT queue.limit_report($1::text, $2::text, $3::int, $4::int)
