-- Defines or changes a limit.
-- $1 text name  $2 int burst  $3 double precision rate per second  $4 int concurrency
-- $5 text key  $6 boolean pinned  $7 text parent  $8 double precision breaker ratio
-- $9 int breaker min requests  $10 bigint breaker window, ms  $11 bigint breaker cooldown, ms.
-- NULL: as it was; 0 or '': none.
-- Rows: none that matter. Index: limit_rule_pkey. Locks: the row, the levels' advisory lock.
SELECT queue.limit_set($1::text, $2::int, $3::double precision, $4::int, $5::text, $6::boolean,
                       $7::text, $8::double precision, $9::int,
                       $10::bigint * interval '1 millisecond',
                       $11::bigint * interval '1 millisecond')
